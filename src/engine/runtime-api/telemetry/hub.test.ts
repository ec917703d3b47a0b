import type { IncomingMessage, ServerResponse } from "node:http";
import { Duplex, Readable } from "node:stream";
import { describe, expect, it } from "vitest";
import { ManualClock } from "#core/clock";
import { TelemetryHub } from "./hub.ts";

/** The types of what one by TCP is told that subscribes now. */
async function toldBy(hub: TelemetryHub, written: string[]): Promise<Map<string, number>> {
  const body = JSON.stringify({
    types: ["platform", "function"],
    destination: { protocol: "TCP", port: 4243 },
  });
  const response = { writeHead: () => response, end: () => response } as unknown as ServerResponse;
  await hub.subscribe(
    "Telemetry",
    "ext",
    Object.assign(Readable.from([Buffer.from(body)]), {
      headers: {},
      complete: true,
    }) as unknown as IncomingMessage,
    response,
  );
  await hub.flush();
  const types = new Map<string, number>();
  for (const line of written
    .join("")
    .split("\n")
    .filter((each) => each !== "")) {
    const { type } = JSON.parse(line) as { type: string };
    types.set(type, (types.get(type) ?? 0) + 1);
  }
  return types;
}

describe("what happened before an extension subscribes", () => {
  it.each([
    ["many lines", 5000, "x", 999],
    ["long lines", 40, "x".repeat(10_000), 26],
  ])("has the platform's events, however many lines there were: %s", async (_, lines, text, kept) => {
    const written: string[] = [];
    const sink = new Duplex({
      read: () => undefined,
      write(chunk: Buffer, _encoding, done) {
        written.push(chunk.toString());
        done();
      },
    });
    const hub = new TelemetryHub({
      clock: new ManualClock(),
      connect: () => () => Promise.resolve(sink),
      structured: false,
      onSubscribed: () => undefined,
    });
    hub.platform(0, "initStart", {});
    for (let i = 0; i < lines; i++) hub.line("function", 0, text);
    hub.platform(0, "initRuntimeDone", {});
    expect(Object.fromEntries(await toldBy(hub, written))).toEqual({
      "platform.initStart": 1,
      function: kept,
      "platform.initRuntimeDone": 1,
    });
    hub.close();
  });
});
