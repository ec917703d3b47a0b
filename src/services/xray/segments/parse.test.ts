import * as fc from "fast-check";
import { expect, it } from "vitest";
import { BadSegment, parseSegment } from "./parse.ts";

const base = {
  trace_id: "1-699437a0-000000000000000000000001",
  id: "0000000000000001",
  name: "n",
  start_time: 1.5,
  end_time: 2,
};

it.each([
  ["not json", "ParseError"],
  ["[]", "ParseError"],
  [{ ...base, trace_id: "1-x" }, "InvalidTraceId"],
  [{ ...base, id: "1" }, "InvalidId"],
  [{ ...base, name: "" }, "InvalidName"],
  [{ ...base, start_time: "1" }, "InvalidStartTime"],
  [{ ...base, start_time: 1e30, end_time: 1e31 }, "InvalidStartTime"],
  [{ ...base, end_time: undefined }, "InvalidEndTime"],
  [{ ...base, end_time: 1e30 }, "InvalidEndTime"],
  [{ ...base, type: "subsegment" }, "MissingParentId"],
  [{ ...base, subsegments: [{ name: "s" }] }, "InvalidStartTime"],
  [{ ...base, name: "n", metadata: "x".repeat(70_000) }, "SegmentTooLarge"],
])("refuses %j", (document, code) => {
  const parse = () => parseSegment(typeof document === "string" ? document : JSON.stringify(document));
  expect(parse).toThrow(expect.objectContaining({ name: "BadSegment", code }));
});

it("takes OpenTelemetry's trace ids, segments in progress, and what it does not know", () => {
  const { end_time: _end, ...open } = base;
  const document = {
    ...open,
    trace_id: base.trace_id.replace(/^1-|-/gu, ""),
    in_progress: true,
    unknown: [1],
  };
  expect(parseSegment(JSON.stringify(document))).toMatchObject({
    traceId: base.trace_id,
    end: undefined,
    start: 1.5,
  });
});

it("never fails otherwise, whatever is sent", () => {
  const member = fc.oneof(fc.jsonValue(), fc.constantFrom("0000000000000001", 1, true, {}));
  const document = fc.record(
    {
      subsegments: fc.array(fc.jsonValue()),
      annotations: member,
      http: member,
      aws: member,
      cause: member,
      links: member,
    },
    { requiredKeys: [] },
  );
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        document.map((more) => JSON.stringify({ ...base, ...more })),
      ),
      (text) => {
        try {
          expect(parseSegment(text).id).toBe(base.id);
        } catch (error) {
          expect(error).toBeInstanceOf(BadSegment);
        }
      },
    ),
    { numRuns: 1000 },
  );
});
