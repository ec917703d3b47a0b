import type { PutMetricAlarmInput } from "@aws-sdk/client-cloudwatch";
import { beforeEach, describe, expect, it } from "vitest";
import {
  createCloudWatchFixture,
  type CloudWatchFixture,
} from "../../../../test/support/cloudwatch-service.ts";
import { withStorage } from "../../../../test/support/storage.ts";

const storage = withStorage();
const ACCOUNT = "123456789012";
const TOPIC = `arn:aws:sns:us-east-1:${ACCOUNT}:t`;
const FUNCTION = `arn:aws:lambda:us-east-1:${ACCOUNT}:function:f`;
const QUERY = "SELECT SUM(Errors) FROM App GROUP BY Function ORDER BY SUM() DESC";
let cloudwatch: CloudWatchFixture;

beforeEach(() => {
  cloudwatch = createCloudWatchFixture(storage());
  asked = 0;
});

const call: CloudWatchFixture["call"] = (operation, input) =>
  cloudwatch.call(operation, input, { account: ACCOUNT });

async function minute(errors: Readonly<Record<string, number>>): Promise<void> {
  const MetricData = Object.entries(errors).map(([Value, count]) => ({
    MetricName: "Errors",
    Dimensions: [{ Name: "Function", Value }],
    Value: count,
  }));
  if (MetricData.length > 0) await call("PutMetricData", { Namespace: "App", MetricData });
  cloudwatch.clock.advance(60_000);
  await cloudwatch.scheduler.tick();
  await cloudwatch.scheduler.idle();
}

const alarm = (settings: Partial<PutMetricAlarmInput> = {}) =>
  call("PutMetricAlarm", {
    AlarmName: "errors",
    ComparisonOperator: "GreaterThanThreshold",
    EvaluationPeriods: 1,
    Threshold: 5,
    AlarmActions: [TOPIC],
    OKActions: [TOPIC],
    Metrics: [{ Id: "q", Expression: QUERY, Period: 60, ReturnData: true }],
    ...settings,
  });

async function states(): Promise<readonly unknown[]> {
  const { MetricAlarms = [] } = await call("DescribeAlarms", { AlarmNames: ["errors"] });
  const { AlarmContributors = [] } = await call("DescribeAlarmContributors", { AlarmName: "errors" });
  return [
    MetricAlarms[0]?.StateValue,
    ...AlarmContributors.map(
      ({ ContributorAttributes }) => ContributorAttributes?.["Function"] ?? "",
    ).toSorted(),
  ];
}

/** What was published since it was last asked: the contributor, or the alarm itself, and its states. */
let asked = 0;
function told(): readonly unknown[] {
  const messages = cloudwatch.calls
    .slice(asked)
    .map(({ input }) => JSON.parse(String(input["Message"])) as Record<string, unknown>);
  asked = cloudwatch.calls.length;
  return messages.map((message) => [
    (message["AlarmContributorAttributes"] as Record<string, string> | undefined)?.["Function"] ?? "alarm",
    message["OldStateValue"],
    message["NewStateValue"],
  ]);
}

describe("an alarm on a query with GROUP BY", () => {
  it("has series that go to ALARM and OK by themselves, and is in ALARM while one of them is", async () => {
    await alarm();
    await minute({ cart: 1, orders: 2 });
    expect(await states()).toEqual(["OK"]);
    told();
    await minute({ cart: 9, orders: 2 });
    expect(await states()).toEqual(["ALARM", "cart"]);
    expect(told()).toEqual([
      ["cart", "OK", "ALARM"],
      ["alarm", "OK", "ALARM"],
    ]);
    await minute({ cart: 9, orders: 7 });
    expect(await states()).toEqual(["ALARM", "cart", "orders"]);
    expect(told()).toEqual([["orders", "OK", "ALARM"]]);
    await minute({ cart: 0, orders: 7 });
    expect(await states()).toEqual(["ALARM", "orders"]);
    expect(told()).toEqual([["cart", "ALARM", "OK"]]);
    await minute({ cart: 0, orders: 0 });
    expect(await states()).toEqual(["OK"]);
    expect(told()).toEqual([
      ["orders", "ALARM", "OK"],
      ["alarm", "ALARM", "OK"],
    ]);
  });

  it("lets a series go that has no data any more, unless missing data are ignored", async () => {
    await alarm();
    await minute({ cart: 9, orders: 1 });
    for (let n = 0; n < 5; n++) await minute({ orders: 1 });
    expect(await states()).toEqual(["OK"]);
    await alarm({ TreatMissingData: "ignore" });
    await minute({ cart: 9, orders: 1 });
    for (let n = 0; n < 5; n++) await minute({ orders: 1 });
    expect(await states()).toEqual(["ALARM", "cart"]);
    await alarm({ TreatMissingData: "notBreaching" });
    for (let n = 0; n < 5; n++) await minute({});
    expect(await states()).toEqual(["OK"]);
  });

  it("keeps its series over a change of its settings, and forgets them with its query", async () => {
    await alarm();
    await minute({ cart: 9, orders: 9 });
    told();
    await alarm({ AlarmDescription: "changed" });
    await minute({ cart: 9, orders: 9 });
    expect(told()).toEqual([]);
    expect(await states()).toEqual(["ALARM", "cart", "orders"]);
    const Expression = "SELECT SUM(Errors) FROM App WHERE Function = 'cart' GROUP BY Function ORDER BY SUM()";
    await alarm({ Metrics: [{ Id: "q", Expression, Period: 60, ReturnData: true }] });
    expect(await states()).toEqual(["ALARM"]);
    await minute({ cart: 9, orders: 9 });
    expect(await states()).toEqual(["ALARM", "cart"]);
  });

  it("tells which series it was, in its history and to functions", async () => {
    await alarm({ AlarmActions: [FUNCTION] });
    await minute({ cart: 9 });
    const { AlarmContributors = [] } = await call("DescribeAlarmContributors", { AlarmName: "errors" });
    const [contributor] = AlarmContributors;
    expect(contributor).toMatchObject({
      ContributorId: expect.stringMatching(/^[0-9a-f]{16}$/) as string,
      ContributorAttributes: { Function: "cart" },
      StateReason: expect.stringMatching(/^Threshold Crossed: 1 datapoint \[9\.0 /) as string,
      StateTransitionedTimestamp: expect.any(Date) as Date,
    });
    const AlarmContributorId = contributor?.ContributorId;
    const { AlarmHistoryItems = [] } = await call("DescribeAlarmHistory", { AlarmName: "errors" });
    expect(
      AlarmHistoryItems.map((item) => `${item.HistoryItemType} ${item.AlarmContributorId}`).toSorted(),
    ).toEqual([
      "Action undefined",
      `AlarmContributorAction ${AlarmContributorId}`,
      `AlarmContributorStateUpdate ${AlarmContributorId}`,
      "ConfigurationUpdate undefined",
      "StateUpdate undefined",
    ]);
    const own = await call("DescribeAlarmHistory", { AlarmName: "errors", AlarmContributorId });
    expect(own.AlarmHistoryItems).toHaveLength(2);
    const events = cloudwatch.calls.map(
      ({ input }) => JSON.parse(String(input["Payload"])) as { readonly alarmData: object },
    );
    expect(events[0]?.alarmData).toMatchObject({
      alarmContributor: { id: AlarmContributorId, attributes: { Function: "cart" } },
    });
    expect(events[1]?.alarmData).not.toHaveProperty("alarmContributor");
    await expect(call("DescribeAlarmContributors", { AlarmName: "nobody" })).rejects.toMatchObject({
      code: "ResourceNotFoundException",
    });
  });

  it("tells its contributors by pages", async () => {
    await alarm({ AlarmActions: [] });
    await minute(Object.fromEntries(Array.from({ length: 120 }, (_, n) => [`f${n}`, 9])));
    const first = await call("DescribeAlarmContributors", { AlarmName: "errors" });
    expect(first.AlarmContributors).toHaveLength(100);
    const { NextToken } = first;
    const second = await call("DescribeAlarmContributors", { AlarmName: "errors", NextToken });
    expect(second.AlarmContributors).toHaveLength(20);
    expect(second.NextToken).toBeUndefined();
  });
});
