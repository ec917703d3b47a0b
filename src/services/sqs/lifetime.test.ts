import { afterEach, beforeEach, describe, expect, it } from "vitest";
import {
  ACCOUNT,
  createSqsFixture,
  REGION,
  withStorage,
  type SqsFixture,
} from "../../../test/support/sqs-service.ts";

let sqs: SqsFixture;
beforeEach(async () => {
  sqs = await createSqsFixture();
});
afterEach(async () => {
  expect(sqs.problems).toEqual([]);
  await sqs.close();
});

const send = (QueueUrl: string, MessageBody: string) => sqs.call("SendMessage", { QueueUrl, MessageBody });
const receive = async (QueueUrl: string, more: object = {}) =>
  (await sqs.call("ReceiveMessage", { QueueUrl, MaxNumberOfMessages: 10, AttributeNames: ["All"], ...more }))
    .Messages ?? [];
const count = async (QueueUrl: string) =>
  (await sqs.call("GetQueueAttributes", { QueueUrl, AttributeNames: ["ApproximateNumberOfMessages"] }))
    .Attributes?.ApproximateNumberOfMessages;

describe("retention", () => {
  it("gives nobody what is too old, and counts it no more", async () => {
    const { url } = await sqs.create("q", { MessageRetentionPeriod: "60" });
    await send(url, "old");
    await sqs.pass(30_000);
    await send(url, "young");
    sqs.clock.advance(30_000);
    expect((await receive(url, { VisibilityTimeout: 0 })).map(({ Body }) => Body)).toEqual(["young"]);
    sqs.clock.advance(30_000);
    expect(await count(url)).toBe("0");
    expect(sqs.storage.queue.queues([])).toEqual([]);
  });

  it("frees what nobody asks for, also more than one commit takes", async () => {
    const { url } = await sqs.create("q", { MessageRetentionPeriod: "60" });
    const Entries = Array.from({ length: 10 }, (_, index) => ({ Id: `${index}`, MessageBody: "x" }));
    for (let batch = 0; batch < 25; batch++) await sqs.call("SendMessageBatch", { QueueUrl: url, Entries });
    for (let minute = 0; minute < 2; minute++) {
      sqs.clock.advance(60_000);
      await sqs.pass(10);
    }
    expect(sqs.storage.queue.queues([])).toEqual([]);
  });

  it("counts from the first queue on in a dead letter queue", async () => {
    const dead = await sqs.create("dead", { MessageRetentionPeriod: "60" });
    const RedrivePolicy = JSON.stringify({ deadLetterTargetArn: dead.arn, maxReceiveCount: 1 });
    const { url } = await sqs.create("q", { RedrivePolicy });
    const { MessageId } = await send(url, "x");
    const sentAt = String(sqs.clock.now());
    await receive(url, { VisibilityTimeout: 0 });
    sqs.clock.advance(40_000);
    await receive(url);
    await send(dead.url, "sent here");
    const [letter] = await receive(dead.url, { VisibilityTimeout: 0 });
    expect(letter).toMatchObject({
      MessageId,
      Attributes: {
        SentTimestamp: sentAt,
        ApproximateFirstReceiveTimestamp: sentAt,
        ApproximateReceiveCount: "2",
        DeadLetterQueueSourceArn: `arn:aws:sqs:${REGION}:${ACCOUNT}:q`,
      },
    });
    sqs.clock.advance(30_000);
    expect((await receive(dead.url)).map(({ Body }) => Body)).toEqual(["sent here"]);
  });
});

describe("queues of one name", () => {
  it("do not inherit messages, and refuse each other's receipt handles", async () => {
    const first = await sqs.create("q");
    await send(first.url, "old");
    const [message] = await receive(first.url);
    await send(first.url, "old too");
    await sqs.call("DeleteQueue", { QueueUrl: first.url });
    await expect(send(first.url, "x")).rejects.toMatchObject({
      error: { Code: "AWS.SimpleQueueService.NonExistentQueue" },
    });
    const { url } = await sqs.create("q");
    expect(await receive(url)).toEqual([]);
    await expect(
      sqs.call("DeleteMessage", { QueueUrl: url, ReceiptHandle: message?.ReceiptHandle }),
    ).rejects.toMatchObject({ error: { Code: "ReceiptHandleIsInvalid" } });
  });

  it("a purge forgets what was deduplicated", async () => {
    const { url } = await sqs.create("q.fifo", { FifoQueue: "true" });
    const message = { QueueUrl: url, MessageGroupId: "g", MessageDeduplicationId: "d" };
    await sqs.call("SendMessage", { ...message, MessageBody: "one" });
    await sqs.call("PurgeQueue", { QueueUrl: url });
    await sqs.call("SendMessage", { ...message, MessageBody: "two" });
    expect((await receive(url)).map(({ Body }) => Body)).toEqual(["two"]);
  });
});

describe("redrive", () => {
  it("keeps messages where the dead letter queue is gone", async () => {
    const dead = await sqs.create("dead");
    const RedrivePolicy = JSON.stringify({ deadLetterTargetArn: dead.arn, maxReceiveCount: 1 });
    const { url } = await sqs.create("q", { RedrivePolicy });
    await send(url, "x");
    await sqs.call("DeleteQueue", { QueueUrl: dead.url });
    for (let turn = 0; turn < 3; turn++)
      expect(await receive(url, { VisibilityTimeout: 0 })).toMatchObject([{ Body: "x" }]);
  });

  it("fills a receive with what may still be received", async () => {
    const dead = await sqs.create("dead");
    const RedrivePolicy = JSON.stringify({ deadLetterTargetArn: dead.arn, maxReceiveCount: 1 });
    const { url } = await sqs.create("q", { RedrivePolicy });
    for (const body of ["a", "b"]) await send(url, body);
    await receive(url, { MaxNumberOfMessages: 2, VisibilityTimeout: 1 });
    await sqs.pass(1000);
    await send(url, "c");
    const [found] = await receive(url, { MaxNumberOfMessages: 1 });
    expect(found?.Body).toBe("c");
    expect(await count(dead.url)).toBe("2");
  });

  it("of a chain counts the receives of each queue by itself, and tells their sum", async () => {
    const last = await sqs.create("last");
    const middle = await sqs.create("middle", {
      RedrivePolicy: JSON.stringify({ deadLetterTargetArn: last.arn, maxReceiveCount: 2 }),
    });
    const { url } = await sqs.create("q", {
      RedrivePolicy: JSON.stringify({ deadLetterTargetArn: middle.arn, maxReceiveCount: 1 }),
    });
    await send(url, "x");
    const counts: (string | undefined)[] = [];
    for (const each of [url, url, middle.url, middle.url, middle.url, last.url])
      counts.push((await receive(each, { VisibilityTimeout: 0 }))[0]?.Attributes?.ApproximateReceiveCount);
    expect(counts).toEqual(["1", undefined, "2", "3", undefined, "4"]);
  });
});

describe("move tasks", () => {
  async function letters(number: number) {
    const dead = await sqs.create("dead");
    const RedrivePolicy = JSON.stringify({ deadLetterTargetArn: dead.arn, maxReceiveCount: 1 });
    const { url } = await sqs.create("q", { RedrivePolicy });
    for (let index = 0; index < number; index++) await send(url, `${index}`);
    for (let turn = 0; turn < 2; turn++) await receive(url, { VisibilityTimeout: 0 });
    expect(await count(dead.url)).toBe(String(number));
    return { dead, url };
  }

  it("end when they are cancelled, once", async () => {
    const { dead, url } = await letters(5);
    const SourceArn = dead.arn;
    const rate = { MaxNumberOfMessagesPerSecond: 1 };
    const { TaskHandle } = await sqs.call("StartMessageMoveTask", { SourceArn, ...rate });
    await sqs.pass(1500);
    expect(await sqs.call("CancelMessageMoveTask", { TaskHandle })).toEqual({
      ApproximateNumberOfMessagesMoved: 2,
    });
    await sqs.pass(5000);
    expect(await count(url)).toBe("2");
    const { Results } = await sqs.call("ListMessageMoveTasks", { SourceArn });
    expect(Results).toMatchObject([{ Status: "CANCELLED", ApproximateNumberOfMessagesToMove: 5 }]);
    await expect(sqs.call("CancelMessageMoveTask", { TaskHandle })).rejects.toMatchObject({
      error: { Code: "InvalidParameterValue" },
    });
  });

  it("go on after a stop of the platform", async () => {
    const { dead, url } = await letters(5);
    await sqs.call("StartMessageMoveTask", { SourceArn: dead.arn, MaxNumberOfMessagesPerSecond: 1 });
    await sqs.pass(1500);
    await sqs.service.stop();
    const { storage, clock } = sqs;
    sqs = withStorage(storage, clock);
    await sqs.pass(5000);
    expect(await count(url)).toBe("5");
    const { Results } = await sqs.call("ListMessageMoveTasks", { SourceArn: dead.arn });
    expect(Results).toMatchObject([{ Status: "COMPLETED", ApproximateNumberOfMessagesMoved: 5 }]);
  });

  it("give up on messages that came from nowhere", async () => {
    const { dead } = await letters(0);
    await send(dead.url, "sent here");
    await sqs.call("StartMessageMoveTask", { SourceArn: dead.arn });
    await sqs.pass(100);
    const { Results } = await sqs.call("ListMessageMoveTasks", { SourceArn: dead.arn });
    expect(Results).toMatchObject([{ Status: "FAILED", FailureReason: "CouldNotDetermineMessageSource" }]);
    expect(await receive(dead.url)).toHaveLength(1);
  });
});

it("counts what queues take and give", async () => {
  const { url } = await sqs.create("q");
  await receive(url);
  await send(url, "12345");
  await send(url, "123");
  const messages = await receive(url);
  await sqs.call("DeleteMessage", { QueueUrl: url, ReceiptHandle: messages[0]?.ReceiptHandle });
  const told = sqs.metrics.read().map(({ address, minutes }) => {
    expect(address).toMatchObject({ namespace: "AWS/SQS", dimensions: { QueueName: "q" } });
    return [address.name, minutes[0]?.sum, minutes[0]?.count];
  });
  expect(told).toEqual([
    ["NumberOfEmptyReceives", 1, 1],
    ["NumberOfMessagesSent", 2, 2],
    ["SentMessageSize", 8, 2],
    ["NumberOfMessagesReceived", 2, 1],
    ["NumberOfMessagesDeleted", 1, 1],
  ]);
});
