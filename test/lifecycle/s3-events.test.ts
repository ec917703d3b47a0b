// What happens in a bucket reaches functions, queues and topics, also over a SIGKILL, and a crash leaves no bytes behind.
import { AddPermissionCommand } from "@aws-sdk/client-lambda";
import {
  CreateBucketCommand,
  type NotificationConfiguration,
  PutBucketNotificationConfigurationCommand,
  PutObjectCommand,
  S3Client,
} from "@aws-sdk/client-s3";
import { CreateTopicCommand, SNSClient, SubscribeCommand } from "@aws-sdk/client-sns";
import {
  CreateQueueCommand,
  DeleteMessageCommand,
  ReceiveMessageCommand,
  SetQueueAttributesCommand,
  SQSClient,
} from "@aws-sdk/client-sqs";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { Readable } from "node:stream";
import { expect, it } from "vitest";
import { clientFor, startPlatform } from "../support/platform.ts";
import { create, lambdaFor, logged, temporaryFolder, until } from "./support.ts";

const folder = temporaryFolder();
const Bucket = "watched-bucket";
const FUNCTION = "arn:aws:lambda:us-east-1:000000000000:function:watcher";
const WATCHER = `exports.handler = async ({ Records }) => {
  for (const { eventName, s3 } of Records) console.log(eventName, s3.bucket.name, s3.object.key);
};`;
const Events: NonNullable<NotificationConfiguration["QueueConfigurations"]>[number]["Events"] = [
  "s3:ObjectCreated:*",
];
const policy = (action: string, resource: string) =>
  JSON.stringify({
    Version: "2012-10-17",
    Statement: [
      {
        Effect: "Allow",
        Principal: { Service: "s3.amazonaws.com" },
        Action: action,
        Resource: resource,
        Condition: { ArnLike: { "aws:SourceArn": `arn:aws:s3:::${Bucket}` } },
      },
    ],
  });

const prefixed = (Value: string) => ({ Key: { FilterRules: [{ Name: "prefix" as const, Value }] } });

it("notifies a function, a queue and a topic", async () => {
  const platform = await startPlatform();
  const settings = clientFor(platform.url);
  const [s3, sqs, sns] = [new S3Client(settings), new SQSClient(settings), new SNSClient(settings)];
  const lambda = lambdaFor(platform.url);
  await create(lambda, "watcher", WATCHER);
  await s3.send(new CreateBucketCommand({ Bucket }));
  const configure = (NotificationConfiguration: NotificationConfiguration) =>
    s3.send(new PutBucketNotificationConfigurationCommand({ Bucket, NotificationConfiguration }));
  const toFunction = { LambdaFunctionArn: FUNCTION, Events, Filter: prefixed("function/") };
  await expect(
    configure({ LambdaFunctionConfigurations: [{ ...toFunction, LambdaFunctionArn: `${FUNCTION}-2` }] }),
  ).rejects.toMatchObject({
    name: "InvalidArgument",
    message: "Unable to validate the following destination configurations",
  });
  await lambda.send(
    new AddPermissionCommand({
      FunctionName: "watcher",
      StatementId: "s3",
      Action: "lambda:InvokeFunction",
      Principal: "s3.amazonaws.com",
      SourceArn: `arn:aws:s3:::${Bucket}`,
    }),
  );
  const QueueArn = "arn:aws:sqs:us-east-1:000000000000:watched";
  const { QueueUrl } = await sqs.send(
    new CreateQueueCommand({
      QueueName: "watched",
      Attributes: { Policy: policy("sqs:SendMessage", QueueArn) },
    }),
  );
  const { TopicArn = "" } = await sns.send(
    new CreateTopicCommand({
      Name: "watched",
      Attributes: { Policy: policy("sns:Publish", "arn:aws:sns:us-east-1:000000000000:watched") },
    }),
  );
  await configure({
    LambdaFunctionConfigurations: [toFunction],
    QueueConfigurations: [{ QueueArn, Events, Filter: prefixed("queue/") }],
    TopicConfigurations: [{ TopicArn, Events, Filter: prefixed("topic/") }],
  });
  const received = async (): Promise<string> => {
    const answer = await sqs.send(new ReceiveMessageCommand({ QueueUrl, WaitTimeSeconds: 10 }));
    const [message] = answer.Messages ?? [];
    await sqs.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle: message?.ReceiptHandle }));
    return message?.Body ?? "";
  };
  expect(JSON.parse(await received())).toMatchObject({ Event: "s3:TestEvent", Bucket });
  // A topic is seen by what it forwards, here to the queue that it is allowed to.
  await sqs.send(
    new SetQueueAttributesCommand({
      QueueUrl,
      Attributes: {
        Policy: policy("sqs:SendMessage", QueueArn)
          .replace('{"Service":"s3.amazonaws.com"}', '{"Service":["s3.amazonaws.com","sns.amazonaws.com"]}')
          .replace(`"arn:aws:s3:::${Bucket}"`, `["arn:aws:s3:::${Bucket}","${TopicArn}"]`),
      },
    }),
  );
  const subscription = { TopicArn, Protocol: "sqs", Endpoint: QueueArn };
  await sns.send(new SubscribeCommand({ ...subscription, Attributes: { RawMessageDelivery: "true" } }));
  const put = (Key: string) => s3.send(new PutObjectCommand({ Bucket, Key, Body: "x" }));
  await put("function/a b");
  await until(async () =>
    expect((await logged(platform.url, "watcher")).join("")).toContain(
      `ObjectCreated:Put ${Bucket} function/a+b`,
    ),
  );
  for (const Key of ["queue/1", "topic/2"]) {
    // oxlint-disable-next-line no-await-in-loop -- one queue carries both
    await put(Key);
    // oxlint-disable-next-line no-await-in-loop
    expect(JSON.parse(await received())).toMatchObject({ Records: [{ s3: { object: { key: Key } } }] });
  }
  for (const client of [s3, sqs, sns, lambda]) client.destroy();
  expect(await platform.stop()).toBe(0);
  expect(platform.errors()).toBe("");
});

it("keeps objects and notifications over a SIGKILL, and nothing of an upload that it cut", async () => {
  const data = join(folder, "killed");
  const files = () =>
    readdirSync(join(data, "objects"), { recursive: true, withFileTypes: true }).filter((entry) =>
      entry.isFile(),
    );
  const first = await startPlatform(["--data", data]);
  const settings = clientFor(first.url);
  const [s3, sqs] = [new S3Client(settings), new SQSClient(settings)];
  await s3.send(new CreateBucketCommand({ Bucket }));
  // There is no such queue yet, so what is accepted for it waits.
  const QueueArn = "arn:aws:sqs:us-east-1:000000000000:late";
  await s3.send(
    new PutBucketNotificationConfigurationCommand({
      Bucket,
      NotificationConfiguration: { QueueConfigurations: [{ QueueArn, Events }] },
      SkipDestinationValidation: true,
    }),
  );
  await s3.send(new PutObjectCommand({ Bucket, Key: "kept", Body: "kept" }));
  const endless = Readable.from(
    (async function* () {
      for (;;) {
        yield Buffer.alloc(100_000);
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    })(),
    { objectMode: false },
  );
  const upload = new PutObjectCommand({ Bucket, Key: "cut", Body: endless, ContentLength: 1 << 30 });
  const cut = s3.send(upload).catch(() => "cut");
  await until(() => expect(files()).toHaveLength(2));
  await first.stop("SIGKILL");
  expect(await cut).toBe("cut");
  endless.destroy();
  s3.destroy();
  sqs.destroy();

  const second = await startPlatform(["--data", data]);
  const later = new SQSClient(clientFor(second.url));
  const Policy = policy("sqs:SendMessage", QueueArn);
  const { QueueUrl } = await later.send(
    new CreateQueueCommand({ QueueName: "late", Attributes: { Policy } }),
  );
  const { Messages = [] } = await later.send(new ReceiveMessageCommand({ QueueUrl, WaitTimeSeconds: 20 }));
  expect(JSON.parse(Messages[0]?.Body ?? "{}")).toMatchObject({
    Records: [{ eventName: "ObjectCreated:Put", s3: { object: { key: "kept" } } }],
  });
  await until(() => expect(files()).toHaveLength(1));
  later.destroy();
  expect(await second.stop()).toBe(0);
  expect(second.errors()).toBe("");
});
