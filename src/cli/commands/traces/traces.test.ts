import { describe, expect, it } from "vitest";
import { duration } from "../../duration.ts";
import { spansOf } from "./spans.ts";
import { rowsOf, waterfall } from "./waterfall.ts";

const plain = { red: (text: string) => text, dim: (text: string) => text };

const trace = (...documents: readonly unknown[]) => ({
  Segments: documents.map((document, at) => ({ Id: String(at), Document: JSON.stringify(document) })),
});

const timed = (id: string, start: number, end: number | undefined, more: object = {}) => ({
  id,
  name: id,
  start_time: start,
  ...(end === undefined ? { in_progress: true } : { end_time: end }),
  ...more,
});

const names = (spans: ReturnType<typeof spansOf>) =>
  rowsOf(spans).map(({ span, depth }) => `${" ".repeat(depth)}${span.name}`);

describe("the spans of a trace", () => {
  it("lie in what called them, in the order of time, whoever sent them", () => {
    const spans = spansOf(
      trace(
        timed("late", 15, 16, { parent_id: "call" }),
        timed("root", 10, 20, {
          subsegments: [
            timed("second", 14, 17, { subsegments: [timed("call", 14.5, 16.5)] }),
            timed("first", 11, 12),
          ],
        }),
        timed("alone", 12, 13, { parent_id: "root", type: "subsegment" }),
        timed("orphan", 9, 10, { parent_id: "nobody" }),
      ),
    );
    expect(names(spans)).toEqual(["orphan", "root", " first", " alone", " second", "  call", "   late"]);
  });

  it("are none of what cannot be read, and a ring of parents is cut", () => {
    expect(spansOf({ Segments: [{ Document: "{" }, { Document: "[]" }, {}] })).toEqual([]);
    expect(spansOf(trace({ id: 1 }, { id: "a", start_time: "1" }, null))).toEqual([]);
    const ring = spansOf(trace(timed("a", 1, 2, { parent_id: "b" }), timed("b", 1, 2, { parent_id: "a" })));
    expect(names(ring)).toEqual(["a", "b"]);
    expect(names(spansOf(trace(timed("self", 1, 2, { parent_id: "self" }))))).toEqual(["self"]);
  });

  it("may lie as deep as a document lets them", () => {
    let inner: object = timed("leaf", 1, 2);
    for (let n = 0; n < 1500; n++) inner = timed(`n${n}`, 1, 2, { subsegments: [inner] });
    const spans = spansOf(trace(inner));
    expect(rowsOf(spans)).toHaveLength(1501);
    expect(waterfall(spans, plain).at(-1)).toBe("… and 1301 more");
  });
});

describe("a waterfall", () => {
  const spans = spansOf(
    trace(
      timed("cart", 0, 0.8, {
        origin: "AWS::Lambda",
        fault: true,
        http: { response: { status: 200 } },
        subsegments: [
          timed("Init", 0, 0.2),
          timed("DynamoDB", 0.4, 0.6, {
            namespace: "aws",
            aws: { operation: "PutItem" },
            throttle: true,
            error: true,
            http: { response: { status: 400 } },
            cause: { exceptions: [{ type: "Throttling", message: "slow \u001b[31mdown" }] },
          }),
          timed("later", 0.6, undefined),
        ],
      }),
    ),
  );

  it("shows when each began, how long it took and what went wrong", () => {
    const lines = waterfall(spans, { ...plain, width: 80 });
    for (const line of lines) expect(line.length).toBeLessThanOrEqual(80);
    const bars = lines.map((line) => /[█▏▎▍▌▋▊▉]+…?/.exec(line));
    const [all = 0, init = 0, call = 0] = bars.map((bar) => bar?.[0].length);
    expect(all).toBeGreaterThan(7);
    // To one column: the ends of a bar lie between two of them.
    for (const part of [init, call]) expect(Math.abs(part - all / 4)).toBeLessThanOrEqual(1);
    expect(Math.abs((bars[2]?.index ?? 0) - (bars[0]?.index ?? 0) - all / 2)).toBeLessThanOrEqual(1);
    expect(lines[2]).toMatch(/ 200 ms {2}throttle 400 Thrott.*…$/);
    expect(lines[3]).toMatch(/…\s+in progress$/);
  });

  it("is as wide as the terminal, and marks what failed", () => {
    const marked = waterfall(spans, { ...plain, red: (text) => `!${text}`, width: 120 });
    expect(marked.map((line) => line.startsWith("!"))).toEqual([true, false, true, false]);
    expect(marked[2]).toContain("throttle 400 Throttling: slow down");
    for (const line of waterfall(spans, { ...plain, width: 20 })) expect(line.length).toBeLessThanOrEqual(48);
  });

  it("of an instant is a bar all the same", () => {
    expect(waterfall(spansOf(trace(timed("now", 5, 5))), plain)).toEqual([
      expect.stringMatching(/^now {2}▏ +0 ms$/),
    ]);
  });
});

it.each([
  [0, "0 ms"],
  [0.4242, "0.42 ms"],
  [12.34, "12.3 ms"],
  [999.9, "1 s"],
  [1234, "1.23 s"],
  [59_999, "1 min"],
  [125_000, "2 min 5 s"],
  [900_000, "15 min"],
])("%d ms is read as %s", (ms, text) => {
  expect(duration(ms)).toBe(text);
});
