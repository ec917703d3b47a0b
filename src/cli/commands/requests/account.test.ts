import { describe, expect, it } from "vitest";
import type { Output } from "../../command.ts";
import { tell } from "./account.ts";
import { requestsIn } from "./request.ts";

const ID = "66ffbfb0-ab81-4cb6-bb08-cc5eb1c96be2";
const plain = (text: string): string => text;
const out: Output = {
  line: () => undefined,
  error: () => undefined,
  write: () => undefined,
  bold: plain,
  dim: plain,
  red: plain,
  green: plain,
};

/** What is told of the limits of a request with these figures in its REPORT. */
function told(duration: string, billed: number, init: string): string[] {
  const [request] = requestsIn(
    [
      `START RequestId: ${ID} Version: $LATEST\n`,
      `REPORT RequestId: ${ID}\tDuration: ${duration} ms\tBilled Duration: ${billed} ms\tMemory Size: 128 MB\tMax Memory Used: 64 MB\tInit Duration: ${init} ms\t\n`,
    ].map((message, time) => ({ time, message })),
  );
  if (request === undefined) throw new Error("no request");
  const found = { group: "g", stream: "s", request };
  return tell({ functionName: "f", timeoutMs: undefined, found, traceId: undefined, spans: undefined }, out);
}

describe("the init that a request's REPORT tells of", () => {
  it("is that of its cold start where it is billed, however the figures were rounded", () => {
    expect(told("10.00", 98, "87.50")).toContain("  cold start: its init took 87.5 ms");
    // 10.005 and 99.995 ms are 110 ms.
    expect(told("10.01", 110, "100.00")).toContain("  cold start: its init took 100 ms");
  });

  it("was ahead of it where it is not", () => {
    expect(told("10.00", 10, "87.50")).toContain("  initialised ahead, in 87.5 ms");
  });
});
