import { once } from "node:events";
import { Agent } from "node:http";
import { createHash, createHmac, type Hash, type Hmac } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  CreateQueueCommand,
  DeleteMessageBatchCommand,
  DeleteMessageCommand,
  GetQueueAttributesCommand,
  ReceiveMessageCommand,
  SendMessageBatchCommand,
  SendMessageCommand,
  SQSClient,
  type QueueDoesNotExist,
} from "@aws-sdk/client-sqs";
import { SignatureV4 } from "@smithy/signature-v4";
import { Consumer } from "sqs-consumer";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { clientFor, startPlatform, type TestPlatform } from "../support/platform.ts";
import { awsVariables, run, works } from "../support/tools.ts";
import { until } from "../support/until.ts";

let platform: TestPlatform;
let client: SQSClient;
let names = 0;

beforeAll(async () => {
  platform = await startPlatform();
  client = new SQSClient(clientFor(platform.url));
});
afterAll(async () => {
  client.destroy();
  expect(await platform.stop()).toBe(0);
  expect(platform.errors()).toBe("");
});

/** A client that waits for messages, and what tells that its one request has come to the platform. */
function waitingClient(url: string) {
  const httpAgent = new Agent();
  const waiting = new SQSClient({ ...clientFor(url), requestHandler: { httpAgent } });
  const come = async (): Promise<void> => {
    await until(() => {
      const [socket] = Object.values(httpAgent.sockets).flatMap((sockets) => sockets ?? []);
      expect(socket?.bytesWritten).toBeGreaterThan(0);
      expect(socket?.writableLength).toBe(0);
    });
    // Sent, and so read no later than what is sent after it.
    await fetch(`${url}/_thaw/health`);
  };
  return { waiting, come };
}

async function create(Attributes: Record<string, string> = {}, suffix = ""): Promise<string> {
  const QueueName = `queue-${names++}${suffix}`;
  const { QueueUrl = "" } = await client.send(new CreateQueueCommand({ QueueName, Attributes }));
  return QueueUrl;
}

describe("the JavaScript SDK", () => {
  it("sends, receives by a long poll and deletes; the SDK checks the digests itself", async () => {
    const QueueUrl = await create();
    expect(QueueUrl).toMatch(new RegExp(`^${platform.url}/000000000000/queue-\\d+$`));
    const poll = client.send(
      new ReceiveMessageCommand({
        QueueUrl,
        WaitTimeSeconds: 20,
        MessageAttributeNames: ["All"],
        MessageSystemAttributeNames: ["All"],
      }),
    );
    const MessageAttributes = {
      text: { DataType: "String", StringValue: "ü" },
      bytes: { DataType: "Binary", BinaryValue: Buffer.from([0, 255]) },
    };
    const MessageBody = '<&"> ü 💧\r\n';
    const sent = await client.send(new SendMessageCommand({ QueueUrl, MessageBody, MessageAttributes }));
    const [message] = (await poll).Messages ?? [];
    expect(message).toMatchObject({
      MessageId: sent.MessageId,
      Body: MessageBody,
      MD5OfMessageAttributes: sent.MD5OfMessageAttributes,
      Attributes: { ApproximateReceiveCount: "1", SenderId: "000000000000" },
    });
    expect(Buffer.from(message?.MessageAttributes?.["bytes"]?.BinaryValue ?? [])).toEqual(
      Buffer.from([0, 255]),
    );
    await client.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle: message?.ReceiptHandle }));
    const { Attributes } = await client.send(
      new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ["All"] }),
    );
    expect(Attributes).toMatchObject({
      ApproximateNumberOfMessages: "0",
      ApproximateNumberOfMessagesNotVisible: "0",
    });
  });

  it("takes the largest batch, which is deserialised beside the event loop", async () => {
    const QueueUrl = await create();
    const Entries = Array.from({ length: 4 }, (_, index) => ({
      Id: String(index),
      MessageBody: "x".repeat(262_144),
    }));
    const sent = await client.send(new SendMessageBatchCommand({ QueueUrl, Entries }));
    expect(sent.Successful).toHaveLength(4);
    const { Messages = [] } = await client.send(
      new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 10 }),
    );
    expect(Messages.map(({ Body = "" }) => Body.length)).toEqual([262_144, 262_144, 262_144, 262_144]);
  });

  it("knows the errors by their names", async () => {
    const QueueUrl = `${platform.url}/000000000000/nobody`;
    const failing = client.send(new SendMessageCommand({ QueueUrl, MessageBody: "x" }));
    const error = await failing.catch((problem: QueueDoesNotExist) => problem);
    expect(error).toMatchObject({
      name: "QueueDoesNotExist",
      message: "The specified queue does not exist.",
    });
  });

  it("hands a message to somebody else at once where the one who waited for it has gone", async () => {
    const QueueUrl = await create({ VisibilityTimeout: "600" });
    const gone = new AbortController();
    const { waiting, come } = waitingClient(platform.url);
    const received = waiting.send(new ReceiveMessageCommand({ QueueUrl, WaitTimeSeconds: 20 }), {
      abortSignal: gone.signal,
    });
    await come();
    gone.abort();
    await expect(received).rejects.toMatchObject({ name: "AbortError" });
    waiting.destroy();
    await client.send(new SendMessageCommand({ QueueUrl, MessageBody: "for the next one" }));
    const { Messages } = await client.send(new ReceiveMessageCommand({ QueueUrl, WaitTimeSeconds: 20 }));
    expect(Messages).toMatchObject([{ Body: "for the next one" }]);
  });
});

it("sqs-consumer works a queue off, and leaves what fails", async () => {
  const dead = await create();
  const arn = `arn:aws:sqs:us-east-1:000000000000:${dead.split("/").at(-1)}`;
  const RedrivePolicy = JSON.stringify({ deadLetterTargetArn: arn, maxReceiveCount: 2 });
  const queueUrl = await create({ VisibilityTimeout: "600", RedrivePolicy });
  const bodies = Array.from({ length: 25 }, (_, index) => (index === 7 ? "poison" : `work ${index}`));
  for (let start = 0; start < bodies.length; start += 10)
    await client.send(
      new SendMessageBatchCommand({
        QueueUrl: queueUrl,
        Entries: bodies
          .slice(start, start + 10)
          .map((MessageBody, index) => ({ Id: `${index}`, MessageBody })),
      }),
    );
  const handled: string[] = [];
  const consumer = Consumer.create({
    queueUrl,
    sqs: client,
    batchSize: 10,
    waitTimeSeconds: 20,
    terminateVisibilityTimeout: true,
    handleMessage: async (message) => {
      if (message.Body === "poison") throw new Error("cannot be digested");
      handled.push(message.Body ?? "");
      return message;
    },
  });
  const problems: string[] = [];
  consumer.on("processing_error", (error) => problems.push(error.message));
  consumer.on("error", (error) => problems.push(error.message));
  consumer.start();
  const poll = new ReceiveMessageCommand({ QueueUrl: dead, WaitTimeSeconds: 20 });
  const { Messages } = await client.send(poll);
  const stopped = once(consumer, "stopped");
  consumer.stop({ abort: true });
  await stopped;
  expect(Messages).toMatchObject([{ Body: "poison" }]);
  const sorted = (texts: readonly string[]) => texts.toSorted((a, b) => (a < b ? -1 : 1));
  expect(sorted(handled)).toEqual(sorted(bodies.filter((body) => body !== "poison")));
  expect(problems).toHaveLength(2);
}, 60_000);

describe("clients of before 2012, which post to the queue's own address", () => {
  class Sha256 {
    readonly #hash: Hash | Hmac;
    constructor(secret?: Uint8Array | string) {
      this.#hash = secret === undefined ? createHash("sha256") : createHmac("sha256", secret);
    }
    update(data: Uint8Array | string): void {
      this.#hash.update(data);
    }
    async digest(): Promise<Uint8Array> {
      return this.#hash.digest();
    }
    reset(): void {}
  }

  async function send(method: "GET" | "POST", path: string, form: Record<string, string>) {
    const { host, hostname, protocol } = new URL(platform.url);
    const { region, credentials } = clientFor(platform.url);
    const signer = new SignatureV4({ service: "sqs", region, credentials, sha256: Sha256 as never });
    const body = method === "POST" ? new URLSearchParams(form).toString() : undefined;
    const headers = { host, "content-type": "application/x-www-form-urlencoded" };
    const query = method === "GET" ? form : {};
    const signed = await signer.sign({ method, protocol, hostname, path, query, headers, body });
    const search = method === "GET" ? `?${new URLSearchParams(form).toString()}` : "";
    const answer = await fetch(`${platform.url}${path}${search}`, {
      method,
      headers: signed.headers,
      ...(body === undefined ? {} : { body }),
    });
    return { status: answer.status, text: await answer.text() };
  }

  it("sends by POST and receives by GET", async () => {
    const path = new URL(await create()).pathname;
    const sent = await send("POST", path, { Action: "SendMessage", MessageBody: "at its address" });
    expect(sent).toMatchObject({ status: 200, text: expect.stringContaining("<SendMessageResponse") });
    const received = await send("GET", path, { Action: "ReceiveMessage" });
    expect(received).toMatchObject({
      status: 200,
      text: expect.stringContaining("<Body>at its address</Body>"),
    });
    expect(await send("GET", path, { Action: "FooBar" })).toMatchObject({
      status: 400,
      text: expect.stringContaining("<Message>The action FooBar is not valid for this endpoint.</Message>"),
    });
    expect(await send("POST", "/000000000000/nobody", { Action: "ReceiveMessage" })).toMatchObject({
      status: 400,
      text: expect.stringContaining("<Code>AWS.SimpleQueueService.NonExistentQueue</Code>"),
    });
  });
});

/** Debian's own interpreter brings a boto3 that speaks the query protocol. */
const pythons = ["python3", "/usr/bin/python3"].filter((file) => works(file, "-c", "import boto3"));

describe.skipIf(pythons.length === 0)("boto3 (needs a Python that has it)", () => {
  it.each(pythons)("%s: the whole life of queues", async (python) => {
    const script = join(import.meta.dirname, "boto3_sqs.py");
    const env = awsVariables(platform.url);
    const { code, stdout, stderr } = await run(python, [script, platform.url], { env });
    expect(stderr).toBe("");
    expect({ code, last: stdout.trim().split("\n").at(-1) }).toEqual({ code: 0, last: "done" });
  });
});

describe("a platform that stops or is reset", () => {
  it("answers those who wait, keeps what was accepted, and goes on after a restart", async () => {
    const folder = await mkdtemp(join(tmpdir(), "thaw-sqs-"));
    const first = await startPlatform(["--data", folder]);
    const before = new SQSClient(clientFor(first.url));
    const { QueueUrl } = await before.send(new CreateQueueCommand({ QueueName: "kept" }));
    const { QueueUrl: empty } = await before.send(new CreateQueueCommand({ QueueName: "empty" }));
    const Entries = Array.from({ length: 10 }, (_, index) => ({ Id: `${index}`, MessageBody: `${index}` }));
    await before.send(new SendMessageBatchCommand({ QueueUrl, Entries }));
    const stopped = waitingClient(first.url);
    const received = stopped.waiting.send(
      new ReceiveMessageCommand({ QueueUrl: empty, WaitTimeSeconds: 20 }),
    );
    await stopped.come();
    const stopping = first.stop();
    expect((await received).Messages).toBeUndefined();
    expect(await stopping).toBe(0);
    stopped.waiting.destroy();
    before.destroy();

    const second = await startPlatform(["--data", folder, "--allow-reset"]);
    const after = new SQSClient(clientFor(second.url));
    const url = `${second.url}/000000000000/kept`;
    const receive = new ReceiveMessageCommand({ QueueUrl: url, MaxNumberOfMessages: 10 });
    const { Messages = [] } = await after.send(receive);
    expect(Messages.map(({ Body }) => Body)).toEqual(Entries.map(({ MessageBody }) => MessageBody));
    const deletions = Messages.map(({ ReceiptHandle }, index) => ({ Id: `${index}`, ReceiptHandle }));
    await after.send(new DeleteMessageBatchCommand({ QueueUrl: url, Entries: deletions }));

    const { waiting, come } = waitingClient(second.url);
    const poll = waiting.send(new ReceiveMessageCommand({ QueueUrl: url, WaitTimeSeconds: 20 }));
    await come();
    const reset = await fetch(`${second.url}/_thaw/reset`, { method: "POST" });
    expect(reset.status).toBe(200);
    expect((await poll).Messages).toBeUndefined();
    await expect(after.send(receive)).rejects.toMatchObject({ name: "QueueDoesNotExist" });
    waiting.destroy();
    after.destroy();
    expect(await second.stop()).toBe(0);
    await rm(folder, { recursive: true });
  }, 60_000);
});
