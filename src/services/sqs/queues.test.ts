import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { ACCOUNT, createSqsFixture, REGION, type SqsFixture } from "../../../test/support/sqs-service.ts";

let sqs: SqsFixture;
beforeEach(async () => {
  sqs = await createSqsFixture();
});
afterEach(async () => {
  expect(sqs.problems).toEqual([]);
  await sqs.close();
});

const failing = (Code: string, Message: unknown = expect.any(String)) => ({ error: { Code, Message } });
const urlOf = (name: string) => `http://127.0.0.1:4566/${ACCOUNT}/${name}`;

describe("lists", () => {
  it("of queues are in pages and by prefix", async () => {
    for (const name of ["a", "b-1", "b-2", "b-3", "c"]) await sqs.create(name);
    const list = (input: object) => sqs.call("ListQueues", input);
    expect(await list({})).toEqual({ QueueUrls: ["a", "b-1", "b-2", "b-3", "c"].map(urlOf) });
    const first = await list({ QueueNamePrefix: "b", MaxResults: 2 });
    expect(first).toEqual({ QueueUrls: ["b-1", "b-2"].map(urlOf), NextToken: expect.any(String) });
    const { NextToken } = first;
    expect(await list({ QueueNamePrefix: "b", MaxResults: 2, NextToken })).toEqual({
      QueueUrls: [urlOf("b-3")],
    });
    expect(await list({ QueueNamePrefix: "b-2" })).toEqual({ QueueUrls: [urlOf("b-2")] });
    expect(await list({ QueueNamePrefix: "x" })).toEqual({});
    await expect(list({ MaxResults: 1, NextToken: "garbage" })).rejects.toMatchObject(
      failing("InvalidParameterValue"),
    );
  });

  it("of a dead letter queue's sources follow their redrive policies", async () => {
    const dead = await sqs.create("dead");
    const RedrivePolicy = JSON.stringify({ deadLetterTargetArn: dead.arn, maxReceiveCount: 3 });
    for (const name of ["one", "two", "three"]) await sqs.create(name, { RedrivePolicy });
    const list = (more = {}) => sqs.call("ListDeadLetterSourceQueues", { QueueUrl: dead.url, ...more });
    expect(await list()).toEqual({ queueUrls: ["one", "three", "two"].map(urlOf) });
    const page = await list({ MaxResults: 2 });
    expect(page).toEqual({ queueUrls: ["one", "three"].map(urlOf), NextToken: expect.any(String) });
    expect(await list({ MaxResults: 2, NextToken: page.NextToken })).toEqual({ queueUrls: [urlOf("two")] });
    const Attributes = { RedrivePolicy: "" };
    await sqs.call("SetQueueAttributes", { QueueUrl: urlOf("one"), Attributes });
    await sqs.call("DeleteQueue", { QueueUrl: urlOf("two") });
    expect(await list()).toEqual({ queueUrls: [urlOf("three")] });
  });
});

describe("names and addresses", () => {
  it.each(["", "a/b", "a b", "x".repeat(81), "q.fifo"])(
    "%j is no name of a standard queue",
    async (QueueName) => {
      await expect(sqs.call("CreateQueue", { QueueName })).rejects.toMatchObject(
        failing("InvalidParameterValue"),
      );
    },
  );

  it("a FIFO queue's name ends so", async () => {
    const Attributes = { FifoQueue: "true" };
    await expect(sqs.call("CreateQueue", { QueueName: "q", Attributes })).rejects.toMatchObject(
      failing("InvalidParameterValue", expect.stringContaining("must end with .fifo suffix")),
    );
  });

  it("the bare name and any host lead to a queue", async () => {
    await sqs.create("q");
    for (const QueueUrl of ["q", `https://sqs.us-east-1.amazonaws.com/${ACCOUNT}/q`, `/${ACCOUNT}/q`])
      expect(await sqs.call("SendMessage", { QueueUrl, MessageBody: "x" })).toHaveProperty("MessageId");
    await expect(sqs.call("SendMessage", { QueueUrl: "nobody", MessageBody: "x" })).rejects.toMatchObject({
      status: 404,
      ...failing("InvalidAddress"),
    });
  });

  it("another account finds a queue by its owner, and cannot manage it", async () => {
    const { url } = await sqs.create("q");
    const account = "222222222222";
    const find = { QueueName: "q", QueueOwnerAWSAccountId: ACCOUNT };
    expect(await sqs.call("GetQueueUrl", find, { account })).toEqual({ QueueUrl: url });
    await expect(sqs.call("GetQueueUrl", { QueueName: "q" }, { account })).rejects.toMatchObject(
      failing("AWS.SimpleQueueService.NonExistentQueue", "The specified queue does not exist."),
    );
    await expect(sqs.call("DeleteQueue", { QueueUrl: url }, { account })).rejects.toMatchObject({
      status: 403,
      ...failing("AccessDenied"),
    });
  });
});

describe("dead letter queues", () => {
  const policy = (deadLetterTargetArn: string) => ({
    RedrivePolicy: JSON.stringify({ deadLetterTargetArn, maxReceiveCount: 1 }),
  });
  const refusal = (reason: string) =>
    failing(
      "InvalidParameterValue",
      expect.stringMatching(new RegExp(`parameter RedrivePolicy.*Reason: ${reason}`)),
    );

  it("exist, are of the same type, and near", async () => {
    const arn = `arn:aws:sqs:${REGION}:${ACCOUNT}:nobody`;
    await expect(sqs.create("q", policy(arn))).rejects.toMatchObject(
      refusal("Dead letter target does not exist."),
    );
    const fifo = await sqs.create("dead.fifo", { FifoQueue: "true" });
    await expect(sqs.create("q", policy(fifo.arn))).rejects.toMatchObject(
      refusal("Dead-letter queue must be same type of queue as the source."),
    );
    const far = `arn:aws:sqs:eu-west-1:${ACCOUNT}:q`;
    await expect(sqs.create("q", policy(far))).rejects.toMatchObject(refusal("Dead letter target must be"));
  });

  it("say whose letters they take", async () => {
    const dead = await sqs.create("dead", { RedriveAllowPolicy: '{"redrivePermission":"denyAll"}' });
    await expect(sqs.create("q", policy(dead.arn))).rejects.toMatchObject(
      refusal("Queue does not have permission"),
    );
    const allow = (redrive: object) =>
      sqs.call("SetQueueAttributes", {
        QueueUrl: dead.url,
        Attributes: { RedriveAllowPolicy: JSON.stringify(redrive) },
      });
    const sourceQueueArns = [`arn:aws:sqs:${REGION}:${ACCOUNT}:q`];
    await allow({ redrivePermission: "byQueue", sourceQueueArns });
    await sqs.create("q", policy(dead.arn));
    await expect(sqs.create("other", policy(dead.arn))).rejects.toMatchObject(refusal("Queue does not have"));
    for (const wrong of [
      {},
      { redrivePermission: "byQueue" },
      { redrivePermission: "allowAll", sourceQueueArns },
    ])
      await expect(allow(wrong)).rejects.toMatchObject(failing("InvalidParameterValue"));
  });
});

it("permissions are for actions and accounts that there can be", async () => {
  const { url } = await sqs.create("q");
  const add = (more: object) =>
    sqs.call("AddPermission", {
      QueueUrl: url,
      Label: "l",
      AWSAccountIds: [ACCOUNT],
      Actions: ["SendMessage"],
      ...more,
    });
  for (const wrong of [{ Actions: ["Nonsense"] }, { AWSAccountIds: ["1"] }, { Label: "a b" }])
    await expect(add(wrong)).rejects.toMatchObject(failing("InvalidParameterValue"));
  await expect(add({ Actions: Array.from({ length: 8 }, () => "SendMessage") })).rejects.toMatchObject(
    failing("OverLimit"),
  );
  await add({ Actions: ["SendMessage", "ReceiveMessage"] });
  const { Attributes } = await sqs.call("GetQueueAttributes", { QueueUrl: url, AttributeNames: ["Policy"] });
  expect(JSON.parse(Attributes?.Policy ?? "")).toMatchObject({
    Statement: [{ Sid: "l", Action: ["SQS:SendMessage", "SQS:ReceiveMessage"] }],
  });
});

describe("a repeated receive of a FIFO queue", () => {
  const receive = async (ReceiveRequestAttemptId: string) =>
    (await sqs.call("ReceiveMessage", { QueueUrl: urlOf("q.fifo"), ReceiveRequestAttemptId })).Messages ?? [];

  it("gets the same messages for as long as they are in flight, and holds them longer", async () => {
    const { url } = await sqs.create("q.fifo", { FifoQueue: "true", ContentBasedDeduplication: "true" });
    await sqs.call("SendMessage", { QueueUrl: url, MessageBody: "x", MessageGroupId: "g" });
    const first = await receive("once");
    expect(first).toHaveLength(1);
    await sqs.pass(20_000);
    expect(await receive("once")).toEqual(first);
    expect(await receive("another")).toEqual([]);
    await sqs.pass(20_000);
    await sqs.call("DeleteMessage", { QueueUrl: url, ReceiptHandle: first[0]?.ReceiptHandle });
    expect(await receive("once")).toEqual([]);
  });

  it("is nothing that a standard queue knows", async () => {
    const { url } = await sqs.create("q");
    await expect(
      sqs.call("ReceiveMessage", { QueueUrl: url, ReceiveRequestAttemptId: "once" }),
    ).rejects.toMatchObject(failing("InvalidParameterValue"));
  });
});
