import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseSegment } from "../segments/parse.ts";
import { documentsOf } from "./documents.ts";
import { Trace } from "./trace.ts";

const TRACE = "1-5759e988-bd862e3fe1be46a994272793";
const id = (number: number) => number.toString(16).padStart(16, "0");
const timed = { start_time: 1, end_time: 2 };

function traceOf(...documents: readonly object[]): Trace {
  const trace = new Trace(TRACE);
  for (const document of documents.map((one) => JSON.stringify({ trace_id: TRACE, ...timed, ...one })))
    trace.add({ document, segment: parseSegment(document) });
  return trace;
}

const loose = (own: number, parent: number) => ({
  id: id(own),
  name: `s${own}`,
  type: "subsegment",
  parent_id: id(parent),
});

const shown = (trace: Trace) => documentsOf(trace).map(({ document }) => JSON.parse(document) as object);

describe("the documents of a trace", () => {
  it("are shown as they came where none was sent by itself", () => {
    const trace = traceOf({ id: id(1), name: "f" });
    expect(documentsOf(trace)[0]?.document).toBe([...trace.documents.values()][0]);
  });

  it("hold what was sent by itself, whatever came first", () => {
    const inner = { id: id(2), name: "inner", ...timed };
    const trace = traceOf(
      loose(5, 4),
      loose(4, 2),
      { id: id(1), name: "f", subsegments: [inner] },
      loose(3, 1),
    );
    expect(shown(trace)).toEqual([
      {
        trace_id: TRACE,
        ...timed,
        id: id(1),
        name: "f",
        subsegments: [
          {
            ...inner,
            subsegments: [
              { id: id(4), name: "s4", ...timed, subsegments: [{ id: id(5), name: "s5", ...timed }] },
            ],
          },
          { id: id(3), name: "s3", ...timed },
        ],
      },
    ]);
  });

  it("are shown by themselves where their parents are not there, or name each other", () => {
    expect(shown(traceOf(loose(2, 9)))).toMatchObject([{ type: "subsegment", parent_id: id(9) }]);
    expect(shown(traceOf(loose(2, 2)))).toMatchObject([{ id: id(2), type: "subsegment" }]);
    expect(documentsOf(traceOf(loose(2, 3), loose(3, 2)))).toHaveLength(2);
  });

  it("are shown, however many lie in one another or in one", () => {
    const deep = Array.from({ length: 5000 }, (_, index) => loose(index + 2, index + 1));
    const documents = documentsOf(traceOf({ id: id(1), name: "f" }, ...deep));
    expect(documents[0]?.document.split('"subsegments"')).toHaveLength(33);
    expect(documents).toHaveLength(5001 - 32);
    const wide = Array.from({ length: 5000 }, (_, index) => loose(index + 2, 1));
    expect(documentsOf(traceOf({ id: id(1), name: "f" }, ...wide))).toHaveLength(1);
  });

  it("are each shown once, whatever was sent", () => {
    const part = fc.tuple(fc.integer({ min: 1, max: 6 }), fc.integer({ min: 1, max: 8 }));
    fc.assert(
      fc.property(fc.array(part, { minLength: 1, maxLength: 10 }), (pairs) => {
        const trace = traceOf({ id: id(7), name: "f" }, ...pairs.map(([own, parent]) => loose(own, parent)));
        const text = documentsOf(trace)
          .map(({ document }) => document)
          .join();
        for (const [own] of pairs) expect(text.split(`"id":"${id(own)}"`)).toHaveLength(2);
      }),
    );
  });
});
