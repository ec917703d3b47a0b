import { CloudWatchClient, DescribeAlarmsCommand, SetAlarmStateCommand } from "@aws-sdk/client-cloudwatch";
import { CreateTopicCommand, SNSClient, SubscribeCommand } from "@aws-sdk/client-sns";
import { CreateQueueCommand, ReceiveMessageCommand, SQSClient } from "@aws-sdk/client-sqs";
import { expect, it, vi } from "vitest";
import { ACCOUNT, noCli, readSettings, type Reader, settingsFile } from "../support.ts";

const ARN = (service: string, name: string) => `arn:aws:${service}:us-east-1:${ACCOUNT}:${name}`;

const PUT = [
  "cloudwatch",
  "put-metric-alarm",
  "--cli-input-json",
  `file://${settingsFile("6.1-alarm")}`,
] as const;

// That an alarm fires on data, by itself, test/compat/cloudwatch.test.ts shows with a period of seconds; that this one
// does after more than 1,000 invocations, src/services/cloudwatch/alarms/alarms.test.ts, with a clock that it moves.
export function alarm(reader: () => Reader): void {
  /** A queue that gets what the guide's topic is told. */
  async function subscribeQueue(): Promise<() => Promise<string[]>> {
    const [sns, sqs] = [new SNSClient(reader().settings), new SQSClient(reader().settings)];
    const { TopicArn } = await sns.send(new CreateTopicCommand({ Name: "my-alarm-topic" }));
    const Statement = {
      Effect: "Allow",
      Principal: { Service: "sns.amazonaws.com" },
      Action: "sqs:SendMessage",
      Resource: ARN("sqs", "alarms"),
    };
    const { QueueUrl } = await sqs.send(
      new CreateQueueCommand({
        QueueName: "alarms",
        Attributes: { Policy: JSON.stringify({ Version: "2012-10-17", Statement }) },
      }),
    );
    await sns.send(new SubscribeCommand({ TopicArn, Protocol: "sqs", Endpoint: ARN("sqs", "alarms") }));
    return async () => {
      const { Messages = [] } = await sqs.send(new ReceiveMessageCommand({ QueueUrl, WaitTimeSeconds: 10 }));
      return Messages.map(({ Body = "" }) => (JSON.parse(Body) as { Message: string }).Message);
    };
  }

  it.skipIf(noCli)(
    "is accepted and described as written, tells its topic, and is evaluated (needs `aws` on PATH)",
    async () => {
      const cloudwatch = new CloudWatchClient(reader().settings);
      const described = async () => (await cloudwatch.send(new DescribeAlarmsCommand({}))).MetricAlarms?.[0];
      const received = await subscribeQueue();

      expect(await reader().aws(...PUT)).toEqual({ code: 0, stdout: "", stderr: "" });
      expect(await described()).toMatchObject({
        ...(await readSettings("6.1-alarm")),
        AlarmArn: ARN("cloudwatch", "alarm:LambdaInvocationSpike"),
        Dimensions: [],
        ActionsEnabled: true,
      });

      const forced = { StateValue: "ALARM", StateReason: "to see who is told" } as const;
      await cloudwatch.send(new SetAlarmStateCommand({ AlarmName: "LambdaInvocationSpike", ...forced }));
      expect((await received()).map((text) => JSON.parse(text) as object)).toEqual([
        expect.objectContaining({
          AlarmName: "LambdaInvocationSpike",
          AWSAccountId: ACCOUNT,
          NewStateValue: "ALARM",
          NewStateReason: "to see who is told",
        }),
      ]);

      // It is looked at in the ten seconds after it was put, and as nobody invoked anything 1,000 times it is no alarm.
      expect((await reader().aws(...PUT)).code).toBe(0);
      await vi.waitFor(
        async () => {
          const { StateValue, StateReason } = (await described()) ?? {};
          expect(StateValue).toMatch(/^(?:OK|INSUFFICIENT_DATA)$/);
          expect(StateReason).toMatch(
            /^(?:Threshold Crossed: 1 datapoint .+ was not greater|Insufficient Data: )/,
          );
        },
        { timeout: 75_000, interval: 200 },
      );
    },
  );
}
