import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { AwsError } from "../../src/core/errors.ts";
import { createSnsFixture, type SnsFixture } from "../support/sns-service.ts";
import { DeliveryFailure } from "../../src/services/sns/delivery/failure.ts";

let sns: SnsFixture;

beforeEach(async () => {
  sns = await createSnsFixture();
});
afterEach(() => sns.close());

const FUNCTION = "arn:aws:lambda:us-east-1:111111111111:function:fn";
const GONE = "arn:aws:sqs:us-east-1:111111111111:gone";
const unavailable = () => new AwsError("ServiceUnavailableException", "later", { status: 503 });
const throttled = () => new AwsError("TooManyRequestsException", "Rate Exceeded.", { status: 429 });
const forbidden = () => new AwsError("AccessDeniedException", "no", { status: 403 });
const publish = (TopicArn: string, Message: string, more: object = {}) =>
  sns.call("Publish", { TopicArn, Message, ...more });
const invoked = () => sns.calls.filter(({ service }) => service === "lambda").length;
const sum = (name: string): number =>
  sns.metrics
    .read()
    .filter(({ address }) => address.namespace === "AWS/SNS" && address.name === name)
    .flatMap(({ minutes }) => minutes)
    .reduce((total, minute) => total + minute.sum, 0);

describe("a function that fails", () => {
  it("is tried three times at once, twice after 1 s, and more and more rarely until it works", async () => {
    const topic = await sns.topic("one");
    await sns.subscribe(topic, "lambda", FUNCTION);
    sns.refuse = unavailable;
    await publish(topic, "hello");
    await sns.quiet();
    expect(invoked()).toBe(4);
    await sns.pass(1000);
    expect(invoked()).toBe(5);
    await sns.pass(1000);
    expect(invoked()).toBe(6);
    await sns.pass(2000);
    expect(invoked()).toBe(7);
    sns.refuse = () => undefined;
    await sns.pass(2000);
    expect(invoked()).toBe(8);
    await sns.pass(30_000, 10_000);
    expect(invoked()).toBe(8);
    expect(sum("NumberOfNotificationsDelivered")).toBe(1);
  });

  it("is tried again where it was throttled, and not where it was a client's fault", async () => {
    const topic = await sns.topic("one");
    const letters = await sns.queue("letters");
    const RedrivePolicy = JSON.stringify({ deadLetterTargetArn: letters.arn });
    await sns.subscribe(topic, "lambda", FUNCTION, { RedrivePolicy });
    sns.refuse = ({ service }) => (service === "lambda" ? throttled() : undefined);
    await publish(topic, "throttled");
    await sns.quiet();
    expect(await sns.drain(letters.url)).toEqual([]);
    sns.refuse = ({ service }) => (service === "lambda" ? forbidden() : undefined);
    await publish(topic, "forbidden");
    await sns.quiet();
    const [letter] = await sns.drain(letters.url);
    expect(JSON.parse(letter?.Body ?? "")).toMatchObject({ Type: "Notification", Message: "forbidden" });
    expect(sum("NumberOfNotificationsRedrivenToDlq")).toBe(1);
  });
});

describe("what cannot be delivered", () => {
  it("is told of where there is no dead-letter queue", async () => {
    const topic = await sns.topic("one");
    const subscriptionArn = await sns.subscribe(topic, "sqs", GONE);
    const { MessageId } = await publish(topic, "hello");
    await sns.quiet();
    expect(sns.lost).toEqual([
      {
        topicArn: topic,
        subscriptionArn,
        messageId: MessageId,
        reason: expect.stringContaining("QueueDoesNotExist") as string,
      },
    ]);
    expect(sum("NumberOfNotificationsFailed")).toBe(1);
  });

  it("waits for a dead-letter queue that cannot be reached now", async () => {
    const topic = await sns.topic("one");
    const letters = await sns.queue("letters");
    const RedrivePolicy = JSON.stringify({ deadLetterTargetArn: letters.arn });
    await sns.subscribe(topic, "sqs", GONE, { RedrivePolicy });
    sns.refuse = ({ input }) => (String(input["QueueUrl"]).endsWith("letters") ? unavailable() : undefined);
    await publish(topic, "hello");
    await sns.quiet();
    sns.refuse = () => undefined;
    await sns.pass(2000);
    expect(await sns.drain(letters.url)).toHaveLength(1);
    expect(sns.lost).toEqual([]);
  });
});

describe("HTTP endpoints", () => {
  const confirmed = async (topic: string, attributes: Record<string, string> = {}) => {
    await sns.subscribe(topic, "http", "http://endpoint.example.org/", attributes);
    await sns.quiet();
    const { Token } = JSON.parse(sns.posted.shift()?.body ?? "") as { Token: string };
    await sns.call("ConfirmSubscription", { TopicArn: topic, Token });
  };

  it("are tried again as their delivery policy says", async () => {
    const topic = await sns.topic("one");
    const healthyRetryPolicy = {
      minDelayTarget: 2,
      maxDelayTarget: 10,
      numRetries: 5,
      numNoDelayRetries: 1,
      numMinDelayRetries: 1,
      numMaxDelayRetries: 1,
      backoffFunction: "linear",
    };
    await confirmed(topic, { DeliveryPolicy: JSON.stringify({ healthyRetryPolicy }) });
    sns.answer = () => Promise.reject(new DeliveryFailure("HTTP 503", { permanent: false }));
    await publish(topic, "hello");
    await sns.quiet();
    const seen = [sns.posted.length];
    for (const seconds of [2, 2, 10, 10, 60]) {
      await sns.pass(seconds * 1000);
      seen.push(sns.posted.length);
    }
    // Twice at once, after 2 s, backing off from 2 to 10 s, and once more after 10 s.
    expect(seen).toEqual([2, 3, 4, 5, 6, 6]);
    expect(sns.lost).toHaveLength(1);
  });

  it("get no more a second than they asked for", async () => {
    const topic = await sns.topic("one");
    await confirmed(topic, { DeliveryPolicy: '{"throttlePolicy":{"maxReceivesPerSecond":2}}' });
    for (let number = 0; number < 5; number++) await publish(topic, `message ${number}`);
    await sns.quiet();
    const seen = [sns.posted.length];
    for (let second = 0; second < 2; second++) {
      await sns.pass(1000);
      seen.push(sns.posted.length);
    }
    expect(seen).toEqual([2, 4, 5]);
  });

  it("hold up no other subscription of the topic while they do not answer", async () => {
    const topic = await sns.topic("one");
    await confirmed(topic);
    await sns.subscribe(topic, "lambda", FUNCTION);
    const answers: (() => void)[] = [];
    sns.answer = () => new Promise((resolve) => answers.push(resolve));
    for (let number = 0; number < 20; number++) await publish(topic, `message ${number}`);
    await expect.poll(invoked).toBe(20);
    sns.answer = () => Promise.resolve();
    for (const answer of answers) answer();
    await sns.quiet();
    expect(sns.posted).toHaveLength(20);
  });
});

describe("FIFO topics", () => {
  const inGroup = (topic: string, group: string, message: string) =>
    publish(topic, message, { MessageGroupId: group, MessageDeduplicationId: message });

  it("keep the order of each group while one endpoint is tried again", async () => {
    const topic = await sns.topic("one.fifo");
    const [slow, fast] = [await sns.queue("slow.fifo"), await sns.queue("fast.fifo")];
    await sns.subscribe(topic, "sqs", slow.arn, { RawMessageDelivery: "true" });
    await sns.subscribe(topic, "sqs", fast.arn, { RawMessageDelivery: "true" });
    sns.refuse = ({ input }) =>
      String(input["QueueUrl"]).endsWith("slow.fifo") && input["MessageGroupId"] === "a"
        ? unavailable()
        : undefined;
    for (const number of [1, 2, 3]) {
      await inGroup(topic, "a", `a${number}`);
      await inGroup(topic, "b", `b${number}`);
    }
    await sns.quiet();
    const bodies = async (url: string, group: string) =>
      (await sns.drain(url)).map(({ Body }) => Body).filter((body) => body?.startsWith(group));
    expect(await bodies(slow.url, "b")).toEqual(["b1", "b2", "b3"]);
    expect(await bodies(fast.url, "a")).toEqual(["a1", "a2", "a3"]);
    sns.refuse = () => undefined;
    await sns.pass(5000);
    expect(await bodies(slow.url, "a")).toEqual(["a1", "a2", "a3"]);
  });

  it("keep it over a crash", async () => {
    const topic = await sns.topic("one.fifo");
    const queue = await sns.queue("queue.fifo");
    await sns.subscribe(topic, "sqs", queue.arn, { RawMessageDelivery: "true" });
    sns.refuse = unavailable;
    for (const number of [1, 2, 3]) await inGroup(topic, "a", `a${number}`);
    await sns.quiet();
    await sns.crash();
    sns.refuse = () => undefined;
    await sns.pass(20_000);
    expect((await sns.drain(queue.url)).map(({ Body }) => Body)).toEqual(["a1", "a2", "a3"]);
  });

  it("tell duplicates for five minutes, and answer them as the first", async () => {
    const topic = await sns.topic("one.fifo");
    const first = await inGroup(topic, "a", "hello");
    await sns.pass(299_000, 10_000);
    expect(await inGroup(topic, "b", "hello")).toMatchObject({ ...withoutMetadata(first) });
    await sns.pass(1000);
    const later = await inGroup(topic, "a", "hello");
    expect(later.MessageId).not.toBe(first.MessageId);
    expect(BigInt(later.SequenceNumber ?? 0)).toBeGreaterThan(BigInt(first.SequenceNumber ?? 0));
    // What was kept to know them by is gone in the end.
    await sns.pass(301_000, 10_000);
    const kept = sns.storage.documents.list(["111111111111", "us-east-1", "sns-duplicate"]);
    expect([...kept]).toEqual([]);
  });

  it("tell them within a group alone where throughput is the group's", async () => {
    const topic = await sns.topic("one.fifo", { FifoThroughputScope: "MessageGroup" });
    const [a, b, again] = [
      await inGroup(topic, "a", "hello"),
      await inGroup(topic, "b", "hello"),
      await inGroup(topic, "a", "hello"),
    ];
    expect(b.MessageId).not.toBe(a.MessageId);
    expect(again.MessageId).toBe(a.MessageId);
  });

  it("number messages without a gap that anyone could see, however many come at once", async () => {
    const topic = await sns.topic("one.fifo");
    const answers = await Promise.all(
      Array.from({ length: 40 }, (_, number) => inGroup(topic, "a", String(number))),
    );
    const numbers = answers.map(({ SequenceNumber }) => SequenceNumber ?? "");
    expect(new Set(numbers).size).toBe(40);
    expect(numbers.toSorted()).toEqual(numbers);
    expect(numbers[0]).toMatch(/^1\d{19}$/);
  });
});

describe("a crash", () => {
  it("loses nothing that was accepted", async () => {
    const topic = await sns.topic("one");
    const queue = await sns.queue("queue");
    await sns.subscribe(topic, "sqs", queue.arn, { RawMessageDelivery: "true" });
    await sns.service.stop(0);
    await Promise.all(Array.from({ length: 30 }, (_, number) => publish(topic, String(number))));
    await sns.crash();
    await sns.pass(16_000);
    const bodies = (await sns.drain(queue.url)).map(({ Body }) => Number(Body));
    expect(bodies.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 30 }, (_, number) => number));
  });
});

describe("many subscriptions", () => {
  it("all get a message, a page of them at a time", async () => {
    const topic = await sns.topic("one");
    for (let number = 0; number < 120; number++)
      await sns.subscribe(topic, "lambda", `${FUNCTION}-${number}`);
    await publish(topic, "hello");
    await sns.quiet();
    expect(new Set(sns.calls.map(({ input }) => input["FunctionName"])).size).toBe(120);
    expect(sum("NumberOfNotificationsDelivered")).toBe(120);
    expect(sum("NumberOfMessagesPublished")).toBe(1);
    expect(sum("PublishSize")).toBe(5);
  });
});

describe("a topic that was deleted", () => {
  it("reaches nobody any more, nor does one of the same name reach its subscriptions", async () => {
    const topic = await sns.topic("one");
    await sns.subscribe(topic, "lambda", FUNCTION);
    await sns.call("DeleteTopic", { TopicArn: topic });
    await sns.topic("one");
    await publish(topic, "hello");
    await sns.quiet();
    expect(invoked()).toBe(0);
    await sns.pass(3_601_000, 600_000);
    expect((await sns.call("ListSubscriptions", {})).Subscriptions ?? []).toEqual([]);
  });
});

function withoutMetadata(answer: object): object {
  return Object.fromEntries(Object.entries(answer).filter(([name]) => name !== "$metadata"));
}
