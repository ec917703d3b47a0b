import type { PutMetricAlarmInput } from "@aws-sdk/client-cloudwatch";
import { beforeEach, describe, test } from "vitest";
import { createCloudWatchFixture, type CloudWatchFixture } from "../../support/cloudwatch-service.ts";
import { withStorage } from "../../support/storage.ts";
import type { Json } from "../lambda/recording.ts";
import { Recording } from "./recording.ts";

const storage = withStorage();
const TOPIC = "arn:aws:sns:us-east-1:111111111111:topic";
const NAME = "alarm";
const ARN = `arn:aws:cloudwatch:us-east-1:111111111111:alarm:${NAME}`;
let cloudwatch: CloudWatchFixture;

beforeEach(() => {
  cloudwatch = createCloudWatchFixture(storage());
});

const replay = (scenario: string) => new Recording("alarms", scenario);
const alarm = (settings: Partial<PutMetricAlarmInput>) =>
  cloudwatch.call("PutMetricAlarm", {
    AlarmName: NAME,
    Namespace: "test",
    MetricName: "metric1",
    EvaluationPeriods: 1,
    ComparisonOperator: "GreaterThanThreshold",
    Period: 60,
    Statistic: "Sum",
    Threshold: 30,
    ...settings,
  });
const describeAlarm = () => cloudwatch.call("DescribeAlarms", { AlarmNames: [NAME] });
const set = (StateValue: "ALARM" | "OK", StateReason: string) =>
  cloudwatch.call("SetAlarmState", { AlarmName: NAME, StateValue, StateReason });

/** Moves on by a period of the alarm and has it looked at. */
async function evaluate(seconds: number): Promise<void> {
  cloudwatch.clock.advance(seconds * 1000);
  await cloudwatch.scheduler.tick();
  await cloudwatch.scheduler.idle();
}

const sent = (member: "Message" | "Payload"): string => {
  const value = cloudwatch.calls.at(-1)?.input[member];
  return Buffer.isBuffer(value) ? value.toString() : String(value);
};

describe("alarms", () => {
  test("test_put_metric_alarm", async () => {
    const recording = replay("test_put_metric_alarm");
    const settings = {
      AlarmDescription: "testing cloudwatch alarms",
      MetricName: "my-metric1",
      Period: 10,
      Statistic: "Average",
      Unit: "Seconds",
      Threshold: 21,
      TreatMissingData: "ignore",
      Dimensions: [{ Name: "InstanceId", Value: "abc" }],
      OKActions: [TOPIC],
      AlarmActions: [TOPIC],
    } as const;
    await alarm({
      ...settings,
      Dimensions: [...settings.Dimensions],
      OKActions: [TOPIC],
      AlarmActions: [TOPIC],
    });
    await recording.expect("describe-alarm", describeAlarm());
    const datum = { MetricName: "my-metric1", Unit: "Seconds", StorageResolution: 1 } as const;
    await cloudwatch.call("PutMetricData", {
      Namespace: "test",
      MetricData: [21, 22].map((Value) => ({ ...datum, Value, Dimensions: [...settings.Dimensions] })),
    });
    await evaluate(10);
    recording.compare(recording.read("alarm-triggered-sqs-msg"), sent("Message"), "message");
    await recording.expect(
      "describe-alarms-for-metric",
      cloudwatch.call("DescribeAlarmsForMetric", {
        Namespace: "test",
        MetricName: "my-metric1",
        Dimensions: [...settings.Dimensions],
      }),
    );
    await recording.expect(
      "describe-alarm-history",
      cloudwatch.call("DescribeAlarmHistory", { AlarmName: NAME, HistoryItemType: "StateUpdate" }),
    );
  });

  test("test_breaching_alarm_actions", async () => {
    const recording = replay("test_breaching_alarm_actions");
    await alarm({
      AlarmDescription: "testing cloudwatch alarms",
      MetricName: "my-metric101",
      Period: 10,
      EvaluationPeriods: 2,
      Statistic: "Average",
      Unit: "Seconds",
      Threshold: 2,
      TreatMissingData: "breaching",
      Dimensions: [{ Name: "InstanceId", Value: "abc" }],
      OKActions: [TOPIC],
      AlarmActions: [TOPIC],
    });
    await evaluate(10);
    await recording.expect("alarm-1-describe", describeAlarm());
    // A member that AWS has added since.
    const message = JSON.parse(sent("Message")) as Record<string, Json>;
    delete message["ActionExecutedAfterMuteWindow"];
    recording.compare(recording.read("alarm-1-sqs-msg"), message, "message");
  });

  test("test_alarm_number_of_messages_sent", async () => {
    const recording = replay("test_alarm_number_of_messages_sent");
    const address = {
      account: "111111111111",
      region: "us-east-1",
      namespace: "AWS/SQS",
      name: "NumberOfMessagesSent",
    };
    cloudwatch.sink
      .series({ ...address, unit: "Count", dimensions: { QueueName: "queue" } })
      .record(1, cloudwatch.clock.now());
    await alarm({
      AlarmDescription: "test messages sent",
      Namespace: "AWS/SQS",
      MetricName: "NumberOfMessagesSent",
      Dimensions: [{ Name: "QueueName", Value: "queue" }],
      Statistic: "SampleCount",
      Threshold: 0,
      TreatMissingData: "missing",
      AlarmActions: [TOPIC],
    });
    await evaluate(60);
    await recording.expect("NumberOfMessagesSent-describe", describeAlarm());
    const message = JSON.parse(sent("Message")) as Record<string, Json>;
    delete message["ActionExecutedAfterMuteWindow"];
    recording.compare(recording.read("NumberOfMessagesSent-sqs-msg"), message, "message");
  });

  test("test_alarm_lambda_target", async () => {
    const recording = replay("test_alarm_lambda_target");
    await alarm({
      AlarmDescription: "testing lambda alarm action",
      Namespace: "namespace",
      Period: 10,
      Statistic: "Average",
      AlarmActions: ["arn:aws:lambda:us-east-1:111111111111:function:fn"],
    });
    await set("ALARM", "testing alarm");
    await cloudwatch.scheduler.idle();
    recording.compare(recording.read("lambda-alarm-invocations"), sent("Payload"), "event");
  });

  test("test_set_alarm", async () => {
    const recording = replay("test_set_alarm");
    await alarm({
      AlarmDescription: "Test Alarm when CPU exceeds 50 percent",
      MetricName: "CPUUtilization-3",
      Period: 300,
      EvaluationPeriods: 2,
      Statistic: "Average",
      Unit: "Percent",
      Threshold: 50,
      TreatMissingData: "ignore",
      Dimensions: [{ Name: "InstanceId", Value: "i-0317828c84edbe100" }],
      AlarmActions: [TOPIC],
      OKActions: [`${TOPIC}_ok`],
    });
    await set("ALARM", "testing alarm");
    await recording.expect("triggered-alarm", describeAlarm());
    await set("OK", "resetting alarm");
    await recording.expect("reset-alarm", describeAlarm());
  });

  test("test_set_alarm_invalid_input", async () => {
    await replay("test_set_alarm_invalid_input").expect("error-resource-not-found", set("OK", "none"));
  });

  test("test_describe_minimal_metric_alarm, test_delete_alarm", async () => {
    await alarm({ Period: 10 });
    await replay("test_describe_minimal_metric_alarm").expect(
      "describe_minimal_metric_alarm",
      describeAlarm(),
    );
    await alarm({});
    const recording = replay("test_delete_alarm");
    await recording.expect("describe-alarm", describeAlarm());
    await recording.expect("delete-alarm", cloudwatch.call("DeleteAlarms", { AlarmNames: [NAME] }));
    await recording.expect("describe-after-delete", describeAlarm());
  });

  test("test_put_metric_alarm_escape_character", async () => {
    await alarm({
      AlarmDescription: "<",
      Period: 600,
      Threshold: 1,
      AlarmActions: ["arn:aws:sns:us-east-1:111122223333:MyTopic"],
    });
    await replay("test_put_metric_alarm_escape_character").expect(
      "describe-alarms-escaped-character",
      describeAlarm(),
    );
  });
});

describe("tags", () => {
  const tag = (Key: string, Value: string) => ({ Key, Value });
  const list = () => cloudwatch.call("ListTagsForResource", { ResourceARN: ARN });
  const add = (...Tags: { Key: string; Value: string }[]) =>
    cloudwatch.call("TagResource", { ResourceARN: ARN, Tags });
  const remove = (...TagKeys: string[]) => cloudwatch.call("UntagResource", { ResourceARN: ARN, TagKeys });

  test("test_store_tags", async () => {
    const recording = replay("test_store_tags");
    await recording.expect("put_metric_alarm", alarm({ MetricName: "store_tags" }));
    await recording.expect("describe_alarms", describeAlarm());
    await recording.expect("list_tags_for_resource_empty ", list());
    await add(tag("tag1", "foo"), tag("tag2", "bar"));
    await recording.expect("list_tags_for_resource", list());
    await remove("tag1");
    await recording.expect("list_tags_for_resource_post_untag", list());
  });

  test.each(["metric", "composite"])("test_tagging_%s_alarm", async (type) => {
    const recording = replay(`test_tagging_${type}_alarm`);
    const Tags = [tag("Environment", "Production")];
    if (type === "metric") await alarm({ Tags });
    else await cloudwatch.call("PutCompositeAlarm", { AlarmName: NAME, AlarmRule: "FALSE", Tags });
    const created = "list_tags_for_resource_after_creation";
    await recording.expect(type === "metric" ? created : `${created} `, list());
    await add(tag("tag1", "foo"), tag("tag2", "bar"));
    await recording.expect("list_tags_for_resource_updated", list());
    await remove("tag1");
    await recording.expect("list_tags_for_resource_post_untag", list());
    await cloudwatch.call("DeleteAlarms", { AlarmNames: [NAME] });
    await recording.expect("list_tags_for_deleted_resource", list());
  });
});
