import { describe, expect, it } from "vitest";
import { ManualClock } from "#core/clock";
import { AwsError } from "#core/errors";
import { systemIds } from "#core/ids";
import { rootPrincipal } from "#core/principal";
import type { HttpRequest } from "#server/listener";
import type { Signal } from "#telemetry/otlp/signals";
import { createOtlpIntake } from "./otlp-intake.ts";
import type { SharedByServices } from "./shared.ts";

const NOW = 1_767_225_600_000;
const HOUR = 3_600_000;
interface Metrics {
  readonly MetricData: readonly { readonly Value: number }[];
}

const headers = { "content-type": "application/json" };

function setUp() {
  const calls: { readonly operation: string; readonly input: unknown }[] = [];
  const answers: { refusal?: AwsError } = {};
  const shared = {
    clock: new ManualClock(NOW),
    ids: systemIds,
    caller: {
      call(_service: string, operation: string, input: unknown) {
        calls.push({ operation, input });
        return answers.refusal === undefined ? Promise.resolve({}) : Promise.reject(answers.refusal);
      },
    },
  } as unknown as SharedByServices;
  const intake = createOtlpIntake(shared, () => Promise.reject(new Error("nobody asks")));
  const by = { principal: rootPrincipal("000000000000"), region: "us-east-1" };
  const target = { group: "g", stream: "s", make: false };
  const take = (body: string, signal: Signal = "logs") =>
    intake.take({ signal, headers, body: Buffer.from(body) }, by, target);
  return { answers, calls, intake, take };
}

describe("what OTLP's endpoints take", () => {
  it.each([
    ["localhost:4566", true],
    ["my-bucket.s3.localhost:4566", false],
  ])("is sent to %s: %s", (host, expected) => {
    const request = {
      method: "POST",
      path: "/v1/logs",
      query: "uploads",
      headers: { host },
      body: Buffer.alloc(0),
    };
    expect(setUp().intake.serve(request as unknown as HttpRequest) !== undefined).toBe(expected);
  });

  it("is no document that would hold up the parser", async () => {
    const { calls, take } = setUp();
    const answer = await take("[".repeat(100_000) + "]".repeat(100_000));
    expect(answer).toMatchObject({ status: 400 });
    expect(answer.body).toContain("SerializationException");
    expect(calls).toEqual([]);
  });

  it("are log records of several days, a day of them at a time", async () => {
    const { calls, take } = setUp();
    const logRecords = [0, 30, 1, 25].map((hours) => ({
      timeUnixNano: `${NOW - hours * HOUR}000000`,
      body: { stringValue: "x" },
    }));
    expect(await take(JSON.stringify({ resourceLogs: [{ scopeLogs: [{ logRecords }] }] }))).toMatchObject({
      status: 200,
    });
    const times = calls.map(({ input }) =>
      (input as { readonly logEvents: readonly { readonly timestamp: number }[] }).logEvents.map(
        ({ timestamp }) => (NOW - timestamp) / HOUR,
      ),
    );
    expect(times).toEqual([
      [30, 25],
      [1, 0],
    ]);
  });

  it("are totals, which a refused request does not advance", async () => {
    const { answers, calls, take } = setUp();
    const tell = (asInt: number) => {
      const sum = { dataPoints: [{ asInt }], aggregationTemporality: 2, isMonotonic: true };
      const body = { resourceMetrics: [{ scopeMetrics: [{ metrics: [{ name: "m", sum }] }] }] };
      return take(JSON.stringify(body), "metrics");
    };
    expect(await tell(3)).toMatchObject({ status: 200 });
    answers.refusal = new AwsError("AccessDenied", "no", { status: 403 });
    expect(await tell(5)).toMatchObject({ status: 403 });
    delete answers.refusal;
    await Promise.all([tell(7), tell(8)]);
    expect(calls.map(({ input }) => (input as Metrics).MetricData[0]?.Value)).toEqual([3, 2, 4, 1]);
  });
});
