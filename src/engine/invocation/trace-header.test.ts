import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ManualClock } from "#core/clock";
import { systemIds } from "#core/ids";
import { TraceIds } from "./trace.ts";
import { headerForRetry, isDecided, parseTraceHeader, writeTraceHeader } from "./trace-header.ts";

const ROOT = "1-5759e988-bd862e3fe1be46a994272793";
const PARENT = "53995c3f42cd8ad8";

describe("a trace header", () => {
  it("is read as AWS writes it, and what it does not know is kept", () => {
    const header = `Root=${ROOT};Parent=${PARENT};Sampled=1;Lineage=1:a87bd80c:1|68fd508a:5`;
    const read = parseTraceHeader(header);
    expect(read).toEqual({
      root: ROOT,
      parent: PARENT,
      sampled: true,
      others: ["Lineage=1:a87bd80c:1|68fd508a:5"],
    });
    expect(writeTraceHeader(ROOT, PARENT, true, read.others)).toBe(header);
  });

  it.each([
    ["", {}],
    ["Sampled=?", {}],
    ["Sampled=2;Root=1-2-3;Parent=x", {}],
    [`Self=${ROOT}; Root=${ROOT} ;Sampled=0;Sampled=1`, { root: ROOT, sampled: false }],
    [`Root=${ROOT.toUpperCase()}`, {}],
    [`Root=${ROOT};Root=1-00000000-000000000000000000000000`, { root: ROOT }],
  ])("%j says %j", (header, expected) => {
    expect(parseTraceHeader(header)).toMatchObject({
      root: undefined,
      parent: undefined,
      sampled: undefined,
      ...expected,
    });
  });

  it("goes on to the function as it came where it decides, and is completed where it does not", () => {
    const ids = new TraceIds(new ManualClock(), systemIds);
    const decided = `Sampled=0;Root=${ROOT}`;
    expect(ids.untraced(decided)).toBe(decided);
    expect(ids.untraced(`Root=${ROOT};Lineage=1:a:1`)).toMatch(
      new RegExp(`^Root=${ROOT};Parent=[0-9a-f]{16};Sampled=0;Lineage=1:a:1$`),
    );
    expect(ids.untraced(undefined)).toMatch(/^Root=1-6955b900-[0-9a-f]{24};Parent=[0-9a-f]{16};Sampled=0$/);
  });

  it.each([
    [undefined, `Root=${ROOT};Parent=${PARENT};Sampled=1`, `Root=${ROOT};Sampled=1`],
    [
      `Root=${ROOT};Parent=0000000000000001;Lineage=1:a:1`,
      `Root=${ROOT};Parent=${PARENT};Sampled=1;Lineage=1:a:1`,
      `Root=${ROOT};Parent=0000000000000001;Sampled=1;Lineage=1:a:1`,
    ],
    [undefined, `Root=${ROOT};Parent=${PARENT};Sampled=0`, `Root=${ROOT};Parent=${PARENT};Sampled=0`],
  ])("of a retry stays in its trace, beside the first run and not under it: %s", (given, ran, expected) => {
    expect(headerForRetry(given, ran)).toBe(expected);
  });

  it("is safe to pass on and decides, whatever a client sends", () => {
    const ids = new TraceIds(new ManualClock(), systemIds);
    const part = fc.oneof(
      fc.string({ unit: "binary", maxLength: 12 }),
      fc.constantFrom(
        `Root=${ROOT}`,
        `Parent=${PARENT}`,
        "Sampled=1",
        "Sampled=0",
        "Sampled=?",
        "Lineage=1:a:1",
        "\r\n",
      ),
    );
    fc.assert(
      fc.property(fc.array(part, { maxLength: 18 }), (parts) => {
        const header = parts.join(";");
        const { root, parent, sampled, others } = parseTraceHeader(header);
        const written = writeTraceHeader(root ?? ROOT, parent ?? PARENT, sampled ?? true, others);
        expect(parseTraceHeader(written)).toMatchObject({
          root: root ?? ROOT,
          parent: parent ?? PARENT,
          sampled: sampled ?? true,
        });
        for (const passed of [written, ids.untraced(header)]) {
          expect(passed).toMatch(/^[\x20-\x7e]*$/);
          expect(isDecided(passed)).toBe(true);
        }
      }),
      { numRuns: 200 },
    );
  });
});
