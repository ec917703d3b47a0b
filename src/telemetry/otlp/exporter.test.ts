import { describe, expect, it } from "vitest";
import { ManualClock } from "#core/clock";
import { OtlpExporter } from "./exporter.ts";

type Answer = { status: number; retryAfter?: string } | Error;

function setUp(...answers: Answer[]) {
  const clock = new ManualClock(0);
  const bodies: string[] = [];
  const lost: [number, string][] = [];
  const exporter = new OtlpExporter<string>({
    clock,
    signal: "logs",
    url: "http://collector.test/v1/logs",
    headers: {},
    encode(items) {
      if (items.includes("broken")) throw new RangeError("broken");
      return { items };
    },
    sizeOf: (item) => item.length,
    onDropped: (count, reason) => lost.push([count, reason]),
    random: () => 0.999,
    post: (_url, _headers, body) => {
      bodies.push(body);
      const answer = answers.shift() ?? { status: 200 };
      return answer instanceof Error ? Promise.reject(answer) : Promise.resolve(answer);
    },
  });
  const advance = async (ms: number) => {
    clock.advance(ms);
    for (let turn = 0; turn < 30; turn++) await Promise.resolve();
  };
  return { exporter, bodies, lost, advance };
}

describe("the exporter", () => {
  it("sends what has come within a second together", async () => {
    const { exporter, bodies, advance } = setUp();
    exporter.push("a");
    exporter.push("b");
    expect(bodies).toEqual([]);
    await advance(1000);
    expect(bodies).toEqual(['{"items":["a","b"]}']);
    expect(exporter.counts).toEqual({ exported: 2, dropped: 0 });
  });

  it("tries again with growing pauses, or as the collector asks, and loses nothing", async () => {
    const { exporter, bodies, advance } = setUp(
      new Error("refused"),
      { status: 503 },
      { status: 429, retryAfter: "7" },
    );
    exporter.push("a");
    await advance(1000);
    expect(bodies).toHaveLength(1);
    await advance(999);
    expect(bodies).toHaveLength(1);
    await advance(1);
    expect(bodies).toHaveLength(2);
    await advance(2000);
    expect(bodies).toHaveLength(3);
    await advance(6999);
    expect(bodies).toHaveLength(3);
    await advance(1);
    expect(new Set(bodies)).toEqual(new Set(['{"items":["a"]}']));
    expect(exporter.counts).toEqual({ exported: 1, dropped: 0 });
  });

  it("drops what is refused for good, and goes on", async () => {
    const { exporter, bodies, lost, advance } = setUp({ status: 400 });
    exporter.push("a");
    await advance(1000);
    exporter.push("b");
    await advance(10_000);
    expect(bodies).toHaveLength(2);
    expect(lost).toEqual([[1, "the collector answered 400"]]);
    expect(exporter.counts).toEqual({ exported: 1, dropped: 1 });
  });

  it("gives up after six tries", async () => {
    const { exporter, bodies, lost, advance } = setUp(
      ...Array.from({ length: 6 }, () => new Error("refused")),
    );
    exporter.push("a");
    for (let second = 0; second < 120; second++) await advance(1000);
    expect(bodies).toHaveLength(6);
    expect(lost).toEqual([[1, "the collector does not answer"]]);
  });

  it("has room for 16 MB and tells what it drops beyond", async () => {
    const { exporter, bodies, lost, advance } = setUp();
    const item = "x".repeat(1024 * 1024);
    for (let count = 0; count < 20; count++) exporter.push(item);
    await advance(10_000);
    expect(bodies).toHaveLength(16);
    expect(lost).toEqual([[4, "there is no room for more"]]);
  });

  it("tries once more when it is closed, and then takes nothing", async () => {
    const { exporter, bodies, lost, advance } = setUp({ status: 503 }, { status: 503 });
    exporter.push("a");
    await advance(1000);
    await exporter.close();
    exporter.push("b");
    expect(bodies).toHaveLength(2);
    expect(lost).toEqual([[1, "the collector answered 503"]]);
  });

  it("holds nothing up when it is closed and the collector does not answer", async () => {
    const { exporter, bodies, lost } = setUp(...Array.from({ length: 3 }, () => new Error("refused")));
    for (let count = 0; count < 1500; count++) exporter.push("a");
    await exporter.close();
    expect(bodies).toHaveLength(1);
    expect(lost).toEqual([[1500, "the collector does not answer"]]);
  });

  it("drops what cannot be encoded, and goes on", async () => {
    const { exporter, bodies, lost, advance } = setUp();
    exporter.push("broken");
    await advance(1000);
    exporter.push("a");
    await advance(10_000);
    expect(bodies).toEqual(['{"items":["a"]}']);
    expect(lost).toEqual([[1, "it cannot be encoded"]]);
  });
});
