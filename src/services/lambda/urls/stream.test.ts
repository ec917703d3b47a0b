import { setImmediate } from "node:timers/promises";
import { array, assert, asyncProperty, uint8Array, nat } from "fast-check";
import { buffer } from "node:stream/consumers";
import { describe, expect, it } from "vitest";
import { StreamedResponse } from "./stream.ts";

const INTEGRATION = "application/vnd.awslambda.http-integration-response";
const PRELUDE = Buffer.concat([
  Buffer.from('{"statusCode":201,"headers":{"a":"b"},"cookies":["c=d"]}'),
  Buffer.alloc(8),
]);

describe("a streamed response", () => {
  it("reads status, headers and cookies wherever the parts are cut", async () => {
    await assert(
      asyncProperty(uint8Array(), array(nat(30)), async (body, cuts) => {
        const response = new StreamedResponse();
        response.begin(INTEGRATION);
        let rest = Buffer.concat([PRELUDE, body]);
        for (const cut of cuts) {
          await response.write(rest.subarray(0, cut));
          rest = rest.subarray(cut);
        }
        await response.write(rest);
        response.complete(false);
        expect(await response.head).toEqual({
          status: 201,
          headers: { a: "b", "content-type": "application/json", "set-cookie": ["c=d"] },
        });
        expect((await buffer(response.body)).equals(body)).toBe(true);
      }),
      { numRuns: 50 },
    );
  });

  it("without a prelude has the function's content type", async () => {
    const response = new StreamedResponse();
    response.begin("text/plain");
    expect(await response.head).toEqual({ status: 200, headers: { "content-type": "text/plain" } });
  });

  it.each([
    ["is not JSON", Buffer.concat([Buffer.from("{"), Buffer.alloc(8)])],
    ["is no object", Buffer.concat([Buffer.from("1"), Buffer.alloc(8)])],
    ["never ends", Buffer.alloc(257 * 1024, "x")],
    ["is cut short", PRELUDE.subarray(0, -1)],
  ])("has no head where its prelude %s", async (_, bytes) => {
    const response = new StreamedResponse();
    response.begin(INTEGRATION);
    await response.write(bytes);
    await response.write(Buffer.from("more"));
    response.complete(false);
    expect(await response.head).toBeUndefined();
  });

  it("holds the function back until the client reads, and lets it go once the client has gone", async () => {
    const response = new StreamedResponse();
    response.begin("text/plain");
    let written = 0;
    const write = async (): Promise<void> => {
      await response.write(Buffer.alloc(64 * 1024));
      written++;
    };
    const first = write();
    await setImmediate();
    expect(written).toBe(0);
    response.body.read();
    await first;
    const second = write();
    response.body.destroy();
    await second;
    await write();
    expect(written).toBe(3);
  });

  it("is cut off, not ended, where the function fails in the middle", async () => {
    const response = new StreamedResponse();
    response.begin("text/plain");
    await response.write(Buffer.from("some"));
    response.complete(true);
    expect(response.body.destroyed).toBe(true);
    await expect(buffer(response.body)).rejects.toThrow();
  });
});
