import type { IncomingMessage, ServerResponse } from "node:http";
import { Readable } from "node:stream";
import { gzipSync } from "node:zlib";
import { expect, it } from "vitest";
import { ManualClock } from "#core/clock";
import type { FunctionSpec, GuestTraces } from "../contract.ts";
import { TraceDaemon } from "./trace-daemon.ts";

const HEADER = '{"format":"json","version":1}\n';
const spec = { name: "f" } as FunctionSpec;

function setUp() {
  const clock = new ManualClock(0);
  const documents: string[] = [];
  const bodies: [encoding: string | undefined, length: number][] = [];
  const dropped = { malformed: 0, "too many": 0 };
  const traces: GuestTraces = {
    document: (of, document) => {
      expect(of).toBe(spec);
      documents.push(document);
    },
    dropped: (reason) => void dropped[reason]++,
    sampling: () => Promise.reject(new Error("not asked")),
    otlp(_of, _path, headers, bytes) {
      bodies.push([headers["content-encoding"], bytes.length]);
      return Promise.resolve({ status: 200, type: "text/plain", body: Buffer.alloc(0) });
    },
  };
  const daemon = new TraceDaemon(spec, traces, clock);
  const send = (count: number, text: string) => {
    for (let sent = 0; sent < count; sent++) daemon.datagram(Buffer.from(text));
  };
  /** @returns the status */
  const post = async (body: Buffer, headers: Readonly<Record<string, string>> = {}): Promise<number> => {
    const request = Object.assign(Readable.from([body]), { headers }) as unknown as IncomingMessage;
    let status = 0;
    const response = { writeHead: (told: number) => ((status = told), { end: () => undefined }) };
    await daemon.otlp("/v1/traces", request, response as unknown as ServerResponse);
    return status;
  };
  return { clock, documents, dropped, send, bodies, post };
}

it("takes documents in the name of its function, and counts what is none", () => {
  const { documents, dropped, send } = setUp();
  send(1, `${HEADER}{"id":"1"}`);
  send(2, "{}");
  expect(documents).toEqual(['{"id":"1"}']);
  expect(dropped).toEqual({ malformed: 2, "too many": 0 });
});

it("takes so many small documents, or so few large ones, and more as time goes by", () => {
  const small = setUp();
  small.send(5000, `${HEADER}{}`);
  const first = small.documents.length;
  expect(first).toBeGreaterThan(1000);
  expect(first).toBeLessThan(1024);
  expect(small.dropped["too many"]).toBe(5000 - first);
  small.clock.advance(1000);
  small.send(5000, `${HEADER}{}`);
  expect(small.documents.length - first).toBeGreaterThan(500);
  expect(small.documents.length - first).toBeLessThan(512);

  const large = setUp();
  large.send(100, `${HEADER}{${" ".repeat(60_000)}}`);
  expect(large.documents).toHaveLength(33);
});

it("holds malformed datagrams to the same measure", () => {
  const { dropped, send } = setUp();
  send(5000, "x");
  expect(dropped.malformed).toBeLessThan(1100);
  expect(dropped.malformed + dropped["too many"]).toBe(5000);
});

it("holds a compressed request to what it is unpacked to", async () => {
  const { bodies, clock, post } = setUp();
  const gzip = { "content-encoding": "gzip" };
  const large = gzipSync(Buffer.alloc(900 * 1024));
  expect(await post(large, gzip)).toBe(200);
  expect(await post(large, gzip)).toBe(200);
  expect(await post(large, gzip)).toBe(429);
  clock.advance(100);
  expect(await post(Buffer.alloc(10))).toBe(200);
  clock.advance(2000);
  expect(await post(gzipSync(Buffer.alloc(2 << 20)), gzip)).toBe(413);
  expect(await post(Buffer.from("no gzip"), gzip)).toBe(400);
  expect(bodies).toEqual([900 * 1024, 900 * 1024, 10].map((length) => [undefined, length]));
});
