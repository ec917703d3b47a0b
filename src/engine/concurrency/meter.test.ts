import { beforeEach, describe, expect, it } from "vitest";
import { ManualClock } from "#core/clock";
import { createMetricSink } from "#telemetry/metric-sink";
import type { AggregatingMetricSink } from "#telemetry/metric-sink";
import { ConcurrencyGate } from "./gate.ts";
import { AccountMeter, noUsage } from "./meter.ts";

const ARN = "arn:aws:lambda:us-east-1:111111111111:function:fn";
const TIME = Date.UTC(2026, 0, 1);
let sink: AggregatingMetricSink;
let account: AccountMeter;

beforeEach(() => {
  sink = createMetricSink({ clock: new ManualClock(TIME), maxClosed: 0 });
  account = new AccountMeter(sink, noUsage, "111111111111", "us-east-1");
});

/** The dimensions under which a metric has values, with their sums. */
function found(name: string): readonly (readonly [Readonly<Record<string, string>>, number])[] {
  return sink
    .read()
    .filter(({ address }) => address.name === name && address.namespace === "AWS/Lambda")
    .map(({ address, minutes }) => [
      address.dimensions,
      minutes.reduce((sum, minute) => sum + minute.sum, 0),
    ]);
}

describe("the meter of a function", () => {
  it("counts for the function, what the caller named, and the account", () => {
    account.ofFunction(ARN).resource(ARN, "$LATEST").invoked(12, true, TIME);
    const dimensions = [{ FunctionName: "fn" }, { FunctionName: "fn", Resource: "fn" }, {}];
    expect(found("Invocations")).toEqual(dimensions.map((of) => [of, 1]));
    expect(found("Errors")).toEqual(dimensions.map((of) => [of, 1]));
    expect(found("Duration")).toEqual(dimensions.map((of) => [of, 12]));
    expect(found("Throttles")).toEqual([]);
  });

  it("tells the versions of an alias apart", () => {
    const meter = account.ofFunction(ARN);
    for (const version of ["1", "2", "1"]) meter.resource(`${ARN}:live`, version).invoked(1, false, TIME);
    meter.resource(`${ARN}:1`, "1").invoked(1, false, TIME);
    const of = { FunctionName: "fn", Resource: "fn:live" };
    expect(found("Invocations")).toEqual([
      [{ FunctionName: "fn" }, 4],
      [of, 3],
      [{ ...of, ExecutedVersion: "1" }, 2],
      [{}, 4],
      [{ ...of, ExecutedVersion: "2" }, 1],
      [{ FunctionName: "fn", Resource: "fn:1" }, 1],
    ]);
    expect(found("Errors").map(([, sum]) => sum)).toEqual([0, 0, 0, 0, 0, 0]);
  });

  it("lets go of the function's own series, not of the account's", () => {
    const meter = account.ofFunction(ARN);
    meter.resource(ARN, "$LATEST").throttled(TIME);
    meter.close();
    expect(found("Throttles")).toEqual([[{}, 1]]);
  });
});

describe("the gate's memory", () => {
  it("of functions that were invoked once and never again is bounded", () => {
    const gate = new ConcurrencyGate(10, sink, noUsage);
    let now = 0;
    const spec = (n: number) => ({ account: "111111111111", region: "us-east-1", arn: `${ARN}${n}` });
    const first = gate.of(spec(0), now);
    first.enter(false, now);
    first.leave(false);
    const kept = gate.of(spec(1), now);
    kept.enter(false, now);
    for (let n = 2; n < 2000; n++) gate.of(spec(n), (now += 100));
    // The first is forgotten and made anew; one that runs is not.
    expect(gate.of(spec(0), now)).not.toBe(first);
    expect(gate.of(spec(1), now)).toBe(kept);
  });
});
