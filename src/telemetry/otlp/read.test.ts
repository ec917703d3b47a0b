import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { BinaryForm } from "./binary.ts";
import { readLogs } from "./logs-in.ts";
import { MetricsIn } from "./metrics-in.ts";
import { SIGNALS } from "./signals.ts";
import { readSpans } from "./spans-in.ts";
import { anyValue, fieldsOf, listOf, nanosecondsOf, plainOf, secondsOf } from "./values.ts";

const TIME = "1767225600000000000";
const NOW = 1_767_225_600_000;

function metric(kind: string, point: object, more: object = {}) {
  const data = { [kind]: { dataPoints: [{ timeUnixNano: TIME, ...point }], ...more } };
  return { resourceMetrics: [{ scopeMetrics: [{ metrics: [{ name: "m", unit: "ms", ...data }] }] }] };
}

/** A field of protobuf's that has a length. */
function inField(tag: number, bytes: Buffer): Buffer {
  const length: number[] = [];
  let rest = bytes.length;
  for (; rest > 127; rest >>>= 7) length.push((rest & 127) | 128);
  return Buffer.concat([Buffer.from([tag, ...length, rest]), bytes]);
}

describe("metrics", () => {
  const values = (reads: readonly object[]) => {
    const metrics = new MetricsIn();
    return reads.map((read) => {
      const { data } = metrics.read(fieldsOf(read), "o", NOW);
      metrics.taken(data, "o");
      return data.map(({ value }) => value);
    });
  };
  const total = { aggregationTemporality: 2, isMonotonic: true };

  it("are told as they are, or as what they have grown by", () => {
    expect(values([metric("gauge", { asDouble: 1.5 }), metric("gauge", { asInt: "7" })])).toEqual([
      [1.5],
      [7],
    ]);
    const sums = [3, 5, 2].map((asInt) => metric("sum", { asInt }, total));
    expect(values(sums)).toEqual([[3], [2], [2]]);
    const changes = [3, 5].map((asInt) =>
      metric("sum", { asInt }, { aggregationTemporality: 1, isMonotonic: true }),
    );
    expect(values(changes)).toEqual([[3], [5]]);
    const levels = [3, 5].map((asInt) => metric("sum", { asInt }, { aggregationTemporality: 2 }));
    expect(values(levels)).toEqual([[3], [5]]);
  });

  it("are told again until they were taken, and by every owner", () => {
    const metrics = new MetricsIn();
    const read = (owner: string, asInt: number) =>
      metrics.read(fieldsOf(metric("sum", { asInt }, total)), owner, NOW).data;
    expect(read("a", 3)).toMatchObject([{ value: 3 }]);
    const refused = read("a", 5);
    expect(refused).toMatchObject([{ value: 5 }]);
    metrics.taken(refused, "a");
    expect(read("a", 6)).toMatchObject([{ value: 1 }]);
    expect(read("b", 6)).toMatchObject([{ value: 6 }]);
  });

  it("of several processes of a service are totals of their own", () => {
    const from = (asInt: number, startTimeUnixNano: string) =>
      metric("sum", { asInt, startTimeUnixNano }, total);
    expect(values([from(10, "1"), from(7, "2"), from(12, "1"), from(8, "2")])).toEqual([[10], [7], [2], [1]]);
  });

  it("of one series in one request follow each other", () => {
    const dataPoints = [3, 5].map((asInt) => ({ timeUnixNano: TIME, asInt }));
    const metrics = [{ name: "m", sum: { dataPoints, ...total } }];
    expect(values([{ resourceMetrics: [{ scopeMetrics: [{ metrics }] }] }])).toEqual([[3, 2]]);
  });

  it("of many values are told by their figures", () => {
    const spread = (count: number, sum: number) =>
      metric("histogram", { count, sum, min: 1, max: 9 }, { aggregationTemporality: 2 });
    expect(values([spread(2, 10), spread(2, 10), spread(3, 14)])).toEqual([
      [{ count: 2, sum: 10, min: 1, max: 9 }],
      [],
      [{ count: 1, sum: 4, min: 1, max: 9 }],
    ]);
  });

  it("have CloudWatch's units, names and dimensions", () => {
    const attributes = [
      { key: "kind", value: { stringValue: "book" } },
      { key: "none", value: {} },
    ];
    const { data } = new MetricsIn().read(fieldsOf(metric("gauge", { asInt: 1, attributes })), "o", NOW);
    expect(data).toEqual([
      {
        namespace: "unknown_service",
        name: "m",
        unit: "Milliseconds",
        time: NOW,
        value: 1,
        dimensions: { kind: "book" },
      },
    ]);
  });
});

describe("what anyone may send", () => {
  it("counts as rejected where its time is none, and has no unit that only JavaScript knows", () => {
    const { data, rejected } = new MetricsIn().read(
      fieldsOf(metric("gauge", { asInt: 1, timeUnixNano: "1e30" })),
      "o",
      NOW,
    );
    expect([data, rejected]).toEqual([[], 1]);
    const point = { dataPoints: [{ timeUnixNano: TIME, asInt: 1 }] };
    const metrics = [{ name: "m", unit: "constructor", gauge: point }];
    const request = { resourceMetrics: [{ scopeMetrics: [{ metrics }] }] };
    expect(new MetricsIn().read(request, "o", NOW).data).toMatchObject([{ unit: "None" }]);
  });

  const json = fc.letrec((tie) => ({
    any: fc.oneof(
      { depthSize: "small" },
      fc.jsonValue({ maxDepth: 1 }),
      fc.array(tie("any"), { maxLength: 3 }),
      fc.dictionary(
        fc.constantFrom(
          ..."resourceSpans resourceLogs resourceMetrics scopeSpans spans scopeLogs logRecords scopeMetrics metrics".split(
            " ",
          ),
          ..."resource attributes key value stringValue intValue arrayValue kvlistValue values sum dataPoints".split(
            " ",
          ),
          ..."traceId spanId startTimeUnixNano status events links body histogram count asInt".split(" "),
        ),
        tie("any"),
        { maxKeys: 6 },
      ),
    ),
  })).any;

  it("is read or counted, and nothing throws", () => {
    fc.assert(
      fc.property(json, (value) => {
        const request = fieldsOf(value);
        readSpans(request);
        readLogs(request, NOW);
        new MetricsIn().read(request, "o", NOW);
      }),
    );
  });

  it("in bytes is a message or an Error", async () => {
    const form = await BinaryForm.load();
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), fc.constantFrom(...SIGNALS), (bytes, signal) => {
        try {
          form.read(signal, Buffer.from(bytes));
        } catch (error) {
          expect(error).toBeInstanceOf(Error);
        }
      }),
    );
  });

  it("in bytes may not be more messages than are worth their bytes", async () => {
    const form = await BinaryForm.load();
    const spans = (count: number) => {
      const span = Buffer.from([0x12, 0]);
      return inField(0x0a, inField(0x12, Buffer.alloc(count * span.length, span)));
    };
    expect(listOf(listOf(form.read("traces", spans(1000))["resourceSpans"])[0]?.["scopeSpans"])).toHaveLength(
      1,
    );
    expect(() => form.read("traces", spans(600_000))).toThrow("too many messages");
    let nested: Buffer = Buffer.from([0x0a, 0]);
    for (let depth = 0; depth < 60; depth++) nested = inField(0x2a, inField(0x0a, nested));
    expect(() =>
      form.read("logs", inField(0x0a, inField(0x12, inField(0x12, inField(0x2a, nested))))),
    ).toThrow("too deeply");
  });

  it("comes back as it was written", () => {
    const plain = fc.letrec((tie) => ({
      any: fc.oneof(
        { depthSize: "small" },
        fc.string(),
        fc.boolean(),
        fc.integer(),
        fc.array(tie("any"), { maxLength: 3 }),
      ),
    })).any;
    fc.assert(
      fc.property(plain, (value) => {
        expect(plainOf(anyValue(value as string))).toEqual(value);
      }),
    );
    expect(secondsOf(nanosecondsOf(1_767_225_600.123456))).toBe(1_767_225_600.123456);
  });
});
