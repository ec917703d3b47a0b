import { join } from "node:path";
import {
  CloudWatchClient,
  DescribeAlarmsCommand,
  GetMetricDataCommand,
  ListMetricsCommand,
  PutMetricAlarmCommand,
  PutMetricDataCommand,
} from "@aws-sdk/client-cloudwatch";
import {
  CreateFunctionCommand,
  InvokeCommand,
  LambdaClient,
  waitUntilFunctionActiveV2,
} from "@aws-sdk/client-lambda";
import { CreateTopicCommand, SNSClient, SubscribeCommand } from "@aws-sdk/client-sns";
import {
  CreateQueueCommand,
  GetQueueAttributesCommand,
  ReceiveMessageCommand,
  SetQueueAttributesCommand,
  SQSClient,
} from "@aws-sdk/client-sqs";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { clientFor, startPlatform, type TestPlatform } from "../support/platform.ts";
import { awsVariables, run, works } from "../support/tools.ts";
import { zipOf } from "../support/zip.ts";

const ACCOUNT = "123456789012";
let platform: TestPlatform;
let settings: ReturnType<typeof clientFor>;

beforeAll(async () => {
  platform = await startPlatform();
  settings = { ...clientFor(platform.url), credentials: { accessKeyId: ACCOUNT, secretAccessKey: "test" } };
});
afterAll(async () => {
  expect(await platform.stop()).toBe(0);
  expect(platform.errors()).toBe("");
});

/** A topic with a queue behind it. */
async function topicWithQueue(): Promise<{ topic: string; queue: string; sqs: SQSClient }> {
  const [sns, sqs] = [new SNSClient(settings), new SQSClient(settings)];
  const { TopicArn: topic = "" } = await sns.send(new CreateTopicCommand({ Name: "my-alarm-topic" }));
  const { QueueUrl: queue = "" } = await sqs.send(new CreateQueueCommand({ QueueName: "alarms" }));
  const { Attributes } = await sqs.send(
    new GetQueueAttributesCommand({ QueueUrl: queue, AttributeNames: ["QueueArn"] }),
  );
  const arn = Attributes?.QueueArn;
  const Policy = JSON.stringify({
    Version: "2012-10-17",
    Statement: [
      {
        Effect: "Allow",
        Principal: { Service: "sns.amazonaws.com" },
        Action: "sqs:SendMessage",
        Resource: arn,
      },
    ],
  });
  await sqs.send(new SetQueueAttributesCommand({ QueueUrl: queue, Attributes: { Policy } }));
  await sns.send(new SubscribeCommand({ TopicArn: topic, Protocol: "sqs", Endpoint: arn }));
  return { topic, queue, sqs };
}

describe("CloudWatch", () => {
  it("tells a queue behind a topic when an alarm fires and when it recovers", async () => {
    const cloudwatch = new CloudWatchClient(settings);
    const { topic, queue, sqs } = await topicWithQueue();
    await cloudwatch.send(
      new PutMetricAlarmCommand({
        AlarmName: "LambdaInvocationSpike",
        Namespace: "App",
        MetricName: "Orders",
        Statistic: "Sum",
        Period: 10,
        EvaluationPeriods: 1,
        Threshold: 1000,
        ComparisonOperator: "GreaterThanThreshold",
        TreatMissingData: "notBreaching",
        AlarmActions: [topic],
        OKActions: [topic],
      }),
    );
    const put = (Value: number) => {
      const MetricData = [{ MetricName: "Orders", Value, StorageResolution: 1 }];
      return cloudwatch.send(new PutMetricDataCommand({ Namespace: "App", MetricData }));
    };
    const states: unknown[] = [];
    await vi.waitFor(
      async () => {
        await put(states.includes("ALARM") ? 1 : 600);
        const { Messages = [] } = await sqs.send(
          new ReceiveMessageCommand({ QueueUrl: queue, WaitTimeSeconds: 2 }),
        );
        for (const { Body = "" } of Messages) {
          const { Subject, Message } = JSON.parse(Body) as { Subject: string; Message: string };
          const message = JSON.parse(Message) as { NewStateValue: string; AlarmArn: string; Trigger: object };
          expect(Subject).toBe(`${message.NewStateValue}: "LambdaInvocationSpike" in US East (N. Virginia)`);
          expect(message.AlarmArn).toBe(
            `arn:aws:cloudwatch:us-east-1:${ACCOUNT}:alarm:LambdaInvocationSpike`,
          );
          expect(message.Trigger).toMatchObject({ MetricName: "Orders", Statistic: "SUM", Threshold: 1000 });
          states.push(message.NewStateValue);
        }
        expect(states.slice(states.indexOf("ALARM"))).toEqual(["ALARM", "OK"]);
      },
      { timeout: 90_000, interval: 100 },
    );
    const { MetricAlarms } = await cloudwatch.send(new DescribeAlarmsCommand({}));
    expect(MetricAlarms?.map(({ StateValue }) => StateValue)).toEqual(["OK"]);
  });

  it("has the metrics of functions at once, with percentiles and all their dimensions", async () => {
    const [lambda, cloudwatch] = [new LambdaClient(settings), new CloudWatchClient(settings)];
    await lambda.send(
      new CreateFunctionCommand({
        FunctionName: "counted",
        Runtime: `nodejs${process.versions.node.split(".")[0]}.x` as "nodejs20.x",
        Handler: "index.handler",
        Role: `arn:aws:iam::${ACCOUNT}:role/thaw-basic-execution`,
        Code: { ZipFile: await zipOf({ "index.mjs": "export const handler = async () => 1;" }) },
      }),
    );
    await waitUntilFunctionActiveV2(
      { client: lambda, maxWaitTime: 30, minDelay: 0.02, maxDelay: 0.2 },
      { FunctionName: "counted" },
    );
    const started = Date.now();
    for (let n = 0; n < 5; n++) await lambda.send(new InvokeCommand({ FunctionName: "counted" }));
    const Dimensions = [{ Name: "FunctionName", Value: "counted" }];
    const query = (Id: string, MetricName: string, Stat: string) => ({
      Id,
      MetricStat: { Metric: { Namespace: "AWS/Lambda", MetricName, Dimensions }, Period: 3600, Stat },
    });
    const { MetricDataResults = [] } = await cloudwatch.send(
      new GetMetricDataCommand({
        StartTime: new Date(started - 60_000),
        EndTime: new Date(started + 3_600_000),
        MetricDataQueries: [
          query("invocations", "Invocations", "Sum"),
          query("errors", "Errors", "Sum"),
          query("duration", "Duration", "p90"),
          { Id: "rate", Expression: "100 * errors / invocations" },
        ],
      }),
    );
    // Where an hour ends between the invocations, there are two values of each.
    const values = new Map(MetricDataResults.map(({ Id, Values = [] }) => [Id, Values]));
    const sum = (id: string) => values.get(id)?.reduce((total, value) => total + value, 0);
    expect([sum("invocations"), sum("errors"), sum("rate")]).toEqual([5, 0, 0]);
    expect(sum("duration")).toBeGreaterThan(0);
    const { Metrics = [] } = await cloudwatch.send(
      new ListMetricsCommand({ Namespace: "AWS/Lambda", MetricName: "Duration", RecentlyActive: "PT3H" }),
    );
    const names = Metrics.map((metric) => metric.Dimensions?.map(({ Name }) => Name).join(" "));
    expect(new Set(names)).toEqual(new Set(["", "FunctionName", "FunctionName Resource"]));
    const exposed = await (await fetch(`${platform.url}/_thaw/metrics`)).text();
    const labels = `{account="${ACCOUNT}",region="us-east-1",function_name="counted"}`;
    expect(exposed).toContain(`\naws_lambda_invocations_sum${labels} 5\n`);
    expect(exposed).toMatch(/^thaw_environments [1-9]\d*$/m);
    for (const kind of ["log lines", "metric values", "segments"])
      expect(exposed).toContain(`\nthaw_telemetry_dropped_total{kind="${kind}"} 0\n`);
    expect(exposed).toMatch(/\n# EOF\n$/);
  });

  it("takes compressed bodies of any protocol", async () => {
    const cloudwatch = new CloudWatchClient({ ...settings, requestMinCompressionSizeBytes: 0 });
    const MetricData = Array.from({ length: 1000 }, (_, n) => ({
      MetricName: `compressed-${n % 3}`,
      Value: n,
    }));
    await cloudwatch.send(new PutMetricDataCommand({ Namespace: "Compressed", MetricData }));
    const { Metrics } = await cloudwatch.send(new ListMetricsCommand({ Namespace: "Compressed" }));
    expect(Metrics).toHaveLength(3);
  });

  const pythons = ["python3", "/usr/bin/python3"].filter((file) => works(file, "-c", "import boto3"));
  it.skipIf(pythons.length === 0).each(pythons.map((python, index) => [python, String(index)]))(
    "%s: metrics, alarms and pictures with boto3",
    async (python, suffix) => {
      const script = join(import.meta.dirname, "boto3_cloudwatch.py");
      const { code, stdout, stderr } = await run(python, [script, platform.url, suffix], {
        env: awsVariables(platform.url),
      });
      expect(stderr).toBe("");
      expect({ code, stdout }).toEqual({ code: 0, stdout: "done\n" });
    },
  );
});
