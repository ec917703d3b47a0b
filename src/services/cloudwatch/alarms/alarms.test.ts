import type { PutMetricAlarmInput, StateValue } from "@aws-sdk/client-cloudwatch";
import { beforeEach, describe, expect, it } from "vitest";
import type { ManualClock } from "#core/clock";
import {
  createCloudWatchFixture,
  type CloudWatchFixture,
} from "../../../../test/support/cloudwatch-service.ts";
import { withStorage } from "../../../../test/support/storage.ts";

const storage = withStorage();
const ACCOUNT = "123456789012";
const TOPIC = `arn:aws:sns:us-east-1:${ACCOUNT}:my-alarm-topic`;
const MINUTE = 60_000;
let cloudwatch: CloudWatchFixture;
let clock: ManualClock;

beforeEach(() => {
  cloudwatch = createCloudWatchFixture(storage());
  ({ clock } = cloudwatch);
});

const call: CloudWatchFixture["call"] = (operation, input) =>
  cloudwatch.call(operation, input, { account: ACCOUNT });

/** Moves time on by whole minutes and lets the scheduler look at every alarm after each. */
async function minutes(count: number): Promise<void> {
  for (let n = 0; n < count; n++) {
    clock.advance(MINUTE);
    await cloudwatch.scheduler.tick();
  }
  await cloudwatch.scheduler.idle();
}

async function put(name: string, value: number): Promise<void> {
  await call("PutMetricData", { Namespace: "App", MetricData: [{ MetricName: name, Value: value }] });
}

async function alarm(AlarmName: string, settings: Partial<PutMetricAlarmInput> = {}): Promise<void> {
  await call("PutMetricAlarm", {
    AlarmName,
    Namespace: "App",
    MetricName: AlarmName,
    Statistic: "Sum",
    Period: 60,
    EvaluationPeriods: 1,
    Threshold: 5,
    ComparisonOperator: "GreaterThanThreshold",
    ...settings,
  });
}

async function stateOf(name: string): Promise<StateValue | undefined> {
  const { MetricAlarms = [], CompositeAlarms = [] } = await call("DescribeAlarms", {
    AlarmNames: [name],
    AlarmTypes: ["MetricAlarm", "CompositeAlarm"],
  });
  return [...MetricAlarms, ...CompositeAlarms][0]?.StateValue;
}

describe("the guide's LambdaInvocationSpike", () => {
  it("fires when a function is invoked more than 1,000 times in five minutes, and recovers", async () => {
    const invocations = cloudwatch.sink.series({
      account: ACCOUNT,
      region: "us-east-1",
      namespace: "AWS/Lambda",
      name: "Invocations",
      unit: "Count",
      dimensions: { FunctionName: "my-function" },
    });
    const invoke = (times: number): void => {
      for (let n = 0; n < times; n++) invocations.record(1, clock.now());
    };
    await call("PutMetricAlarm", {
      AlarmName: "LambdaInvocationSpike",
      MetricName: "Invocations",
      Namespace: "AWS/Lambda",
      Statistic: "Sum",
      Period: 300,
      Threshold: 1000,
      ComparisonOperator: "GreaterThanThreshold",
      EvaluationPeriods: 1,
      AlarmActions: [TOPIC],
      OKActions: [TOPIC],
      Dimensions: [{ Name: "FunctionName", Value: "my-function" }],
    });
    invoke(1000);
    await minutes(2);
    expect(await stateOf("LambdaInvocationSpike")).toBe("OK");
    invoke(1);
    await minutes(1);
    expect(await stateOf("LambdaInvocationSpike")).toBe("ALARM");
    const fired = cloudwatch.calls.at(-1);
    expect(fired).toMatchObject({
      service: "sns",
      operation: "Publish",
      input: { TopicArn: TOPIC, Subject: 'ALARM: "LambdaInvocationSpike" in US East (N. Virginia)' },
      by: {
        region: "us-east-1",
        principal: {
          kind: "service",
          service: "cloudwatch.amazonaws.com",
          sourceArn: `arn:aws:cloudwatch:us-east-1:${ACCOUNT}:alarm:LambdaInvocationSpike`,
        },
      },
    });
    const text = String(fired?.input["Message"]);
    expect(text).toContain('"Threshold":1000.0');
    expect(JSON.parse(text)).toMatchObject({
      AlarmName: "LambdaInvocationSpike",
      AWSAccountId: ACCOUNT,
      OldStateValue: "OK",
      NewStateValue: "ALARM",
      NewStateReason:
        "Threshold Crossed: 1 datapoint [1001.0 (31/12/25 23:58:00)] was greater than the threshold (1000.0).",
      Trigger: { MetricName: "Invocations", Namespace: "AWS/Lambda", Statistic: "SUM", Period: 300 },
    });
    // Five minutes later the spike has left the window. It does not come back when the next windows are empty.
    invoke(3);
    await minutes(5);
    expect(await stateOf("LambdaInvocationSpike")).toBe("OK");
    await minutes(3);
    expect(await stateOf("LambdaInvocationSpike")).toBe("OK");
    expect(cloudwatch.calls.map(({ input }) => input["Subject"])).toEqual([
      'OK: "LambdaInvocationSpike" in US East (N. Virginia)',
      'ALARM: "LambdaInvocationSpike" in US East (N. Virginia)',
      'OK: "LambdaInvocationSpike" in US East (N. Virginia)',
    ]);
  });
});

describe("alarms", () => {
  it("keep their state over a restart, and are evaluated on", async () => {
    await alarm("m", { AlarmActions: [TOPIC] });
    await put("m", 9);
    await minutes(1);
    expect(await stateOf("m")).toBe("ALARM");
    await cloudwatch.store.seal();
    cloudwatch = createCloudWatchFixture(storage(), { clock });
    expect(await stateOf("m")).toBe("ALARM");
    await cloudwatch.store.start();
    await minutes(4);
    expect(await stateOf("m")).toBe("INSUFFICIENT_DATA");
    expect(cloudwatch.calls).toEqual([]);
  });

  it("keep a percentile alarm as it is on few samples, where they are told to", async () => {
    const settings = { Statistic: undefined, ExtendedStatistic: "p99", MetricName: "m" };
    await alarm("evaluated", settings);
    await alarm("ignored", { ...settings, EvaluateLowSampleCountPercentile: "ignore" });
    await put("m", 9);
    await minutes(1);
    expect([await stateOf("evaluated"), await stateOf("ignored")]).toEqual(["ALARM", "INSUFFICIENT_DATA"]);
  });

  it("run no actions where these are disabled, and tell of those that fail", async () => {
    cloudwatch = createCloudWatchFixture(storage(), { clock, refuse: new Error("no such topic") });
    await alarm("m", { AlarmActions: [TOPIC] });
    await call("DisableAlarmActions", { AlarmNames: ["m"] });
    await call("SetAlarmState", { AlarmName: "m", StateValue: "ALARM", StateReason: "test" });
    await call("SetAlarmState", { AlarmName: "m", StateValue: "OK", StateReason: "test" });
    expect(cloudwatch.calls).toEqual([]);
    await call("EnableAlarmActions", { AlarmNames: ["m"] });
    await call("SetAlarmState", { AlarmName: "m", StateValue: "ALARM", StateReason: "test" });
    await cloudwatch.scheduler.idle();
    const { AlarmHistoryItems = [] } = await call("DescribeAlarmHistory", { AlarmName: "m" });
    expect(AlarmHistoryItems.map(({ HistorySummary }) => HistorySummary)).toEqual([
      `Failed to execute action ${TOPIC}. Received error: "no such topic"`,
      "Alarm updated from OK to ALARM",
      "Alarm updated from ALARM to OK",
      "Alarm updated from INSUFFICIENT_DATA to ALARM",
      'Alarm "m" created',
    ]);
  });

  it("page through their history", async () => {
    await alarm("m");
    for (const StateValue of ["OK", "ALARM", "OK"] as const)
      await call("SetAlarmState", { AlarmName: "m", StateValue, StateReason: "test" });
    const first = await call("DescribeAlarmHistory", { MaxRecords: 3 });
    const second = await call("DescribeAlarmHistory", { MaxRecords: 3, NextToken: first.NextToken });
    expect([first.AlarmHistoryItems?.length, second.AlarmHistoryItems?.length]).toEqual([3, 1]);
    expect(second.NextToken).toBeUndefined();
  });
});

it("refuses actions elsewhere, and searches", async () => {
  await expect(alarm("a", { OKActions: [TOPIC.replace("us-east-1", "eu-west-1")] })).rejects.toMatchObject({
    code: "ValidationException",
    message: "Invalid region eu-west-1 specified. Only us-east-1 is supported.",
  });
  const Expression = "SUM(SEARCH('{App} x', 'Sum', 60))";
  const metric = { Namespace: undefined, MetricName: undefined, Statistic: undefined, Period: undefined };
  await expect(
    alarm("a", { ...metric, Metrics: [{ Id: "e", Expression, ReturnData: true }] }),
  ).rejects.toMatchObject({ message: "SEARCH is not supported on Metric Alarms." });
});

describe("composite alarms", () => {
  const composite = (AlarmRule: string, settings = {}) =>
    call("PutCompositeAlarm", { AlarmName: "both", AlarmRule, AlarmActions: [TOPIC], ...settings });
  const set = (AlarmName: string, StateValue: StateValue) =>
    call("SetAlarmState", { AlarmName, StateValue, StateReason: "test" });

  it("follow the alarms of their rule", async () => {
    await alarm("a");
    await alarm("b");
    await composite("ALARM(a) AND ALARM(b)");
    expect(await stateOf("both")).toBe("OK");
    await set("a", "ALARM");
    expect(await stateOf("both")).toBe("OK");
    await set("b", "ALARM");
    expect(await stateOf("both")).toBe("ALARM");
    await cloudwatch.scheduler.idle();
    const message = JSON.parse(String(cloudwatch.calls.at(-1)?.input["Message"])) as Record<string, unknown>;
    expect(message["NewStateReason"]).toMatch(
      /:alarm:[ab] transitioned to ALARM at Thursday 01 January, 2026 00:00:00 UTC$/,
    );
    expect(message["AlarmRule"]).toBe("ALARM(a) AND ALARM(b)");
    const related = await call("DescribeAlarms", { ChildrenOfAlarmName: "both" });
    expect(related.MetricAlarms?.map(({ AlarmName }) => AlarmName)).toEqual(["a", "b"]);
    const parents = await call("DescribeAlarms", { ParentsOfAlarmName: "a" });
    expect(parents.CompositeAlarms?.map(({ AlarmName }) => AlarmName)).toEqual(["both"]);
  });

  it("are of alarms that there are, which stay as long as they are looked at", async () => {
    const refused = (message: string) => ({ code: "ValidationException", message });
    await alarm("a");
    await expect(composite("ALARM(a) OR OK(b) OR OK(c)")).rejects.toMatchObject(
      refused("Could not save the composite alarm as alarms [b, c] in the alarm rule do not exist"),
    );
    await expect(composite("ALARM(a")).rejects.toMatchObject(
      refused("Error in AlarmRule [Unsupported token '' at char 7, must be: ')']"),
    );
    await composite("AT_LEAST(1, ALARM, (a))");
    await composite("OK(both)", { AlarmName: "above" });
    const remove = (...AlarmNames: string[]) => call("DeleteAlarms", { AlarmNames });
    await expect(remove("a")).rejects.toMatchObject(
      refused("Cannot delete a as there are composite alarm(s) depending on it."),
    );
    await expect(remove("a", "both")).rejects.toMatchObject(
      refused("Cannot delete both as there are composite alarm(s) depending on it."),
    );
    await expect(remove("both", "above")).rejects.toMatchObject({ code: "ValidationException" });
    await remove("above");
    await remove("both", "a");
    expect(await stateOf("a")).toBeUndefined();
  });

  it("hold their actions back for as long as their suppressor is in alarm", async () => {
    await alarm("a", { TreatMissingData: "ignore" });
    await alarm("deploying", { TreatMissingData: "ignore" });
    await composite("ALARM(a)", {
      ActionsSuppressor: "deploying",
      ActionsSuppressorWaitPeriod: 30,
      ActionsSuppressorExtensionPeriod: 60,
    });
    const suppressedBy = async () =>
      (await call("DescribeAlarms", { AlarmNames: ["both"], AlarmTypes: ["CompositeAlarm"] }))
        .CompositeAlarms?.[0]?.ActionsSuppressedBy;
    await set("a", "ALARM");
    expect(await suppressedBy()).toBe("WaitPeriod");
    await set("deploying", "ALARM");
    await cloudwatch.scheduler.tick();
    expect(await suppressedBy()).toBe("Alarm");
    await set("deploying", "OK");
    clock.advance(10_000);
    await cloudwatch.scheduler.tick();
    expect(await suppressedBy()).toBe("ExtensionPeriod");
    expect(cloudwatch.calls).toEqual([]);
    clock.advance(60_000);
    await set("a", "OK");
    await set("a", "ALARM");
    clock.advance(30_000);
    await cloudwatch.scheduler.tick();
    await cloudwatch.scheduler.idle();
    expect(cloudwatch.calls.map(({ input }) => input["Subject"])).toEqual([
      'ALARM: "both" in US East (N. Virginia)',
    ]);
  });
});
