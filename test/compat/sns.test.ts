import { createVerify } from "node:crypto";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { AddPermissionCommand, type LambdaClient } from "@aws-sdk/client-lambda";
import {
  CreateTopicCommand,
  GetSubscriptionAttributesCommand,
  PublishCommand,
  SNSClient,
  SubscribeCommand,
} from "@aws-sdk/client-sns";
import {
  CreateQueueCommand,
  type Message,
  ReceiveMessageCommand,
  SetQueueAttributesCommand,
  SQSClient,
} from "@aws-sdk/client-sqs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { thaw } from "../cli/support.ts";
import { create, lambdaFor, logged, temporaryFolder, until } from "../lifecycle/support.ts";
import { clientFor, startPlatform, type TestPlatform } from "../support/platform.ts";

const ACCOUNT = "000000000000";
const folder = temporaryFolder();
let platform: TestPlatform;
let sns: SNSClient;
let sqs: SQSClient;
let lambda: LambdaClient;

async function start(): Promise<void> {
  platform = await startPlatform(["--data", folder]);
  sns = new SNSClient(clientFor(platform.url));
  sqs = new SQSClient(clientFor(platform.url));
  lambda = lambdaFor(platform.url);
}

function forget(): void {
  for (const client of [sns, sqs, lambda]) client.destroy();
}

beforeAll(start);
afterAll(async () => {
  forget();
  expect(await platform.stop()).toBe(0);
});

async function topic(Name: string): Promise<string> {
  return (await sns.send(new CreateTopicCommand({ Name }))).TopicArn ?? "";
}

/** A queue that topics may send to, as AWS demands it of a queue's policy. */
async function queue(QueueName: string): Promise<{ readonly url: string; readonly arn: string }> {
  const { QueueUrl: url = "" } = await sqs.send(new CreateQueueCommand({ QueueName }));
  const arn = `arn:aws:sqs:us-east-1:${ACCOUNT}:${QueueName}`;
  const Policy = JSON.stringify({
    Version: "2012-10-17",
    Statement: [
      {
        Effect: "Allow",
        Principal: { Service: "sns.amazonaws.com" },
        Action: "sqs:SendMessage",
        Resource: arn,
        Condition: { ArnLike: { "aws:SourceArn": `arn:aws:sns:us-east-1:${ACCOUNT}:*` } },
      },
    ],
  });
  await sqs.send(new SetQueueAttributesCommand({ QueueUrl: url, Attributes: { Policy } }));
  return { url, arn };
}

async function subscribe(
  TopicArn: string,
  Protocol: string,
  Endpoint: string,
  Attributes = {},
): Promise<string> {
  const { SubscriptionArn = "" } = await sns.send(
    new SubscribeCommand({ TopicArn, Protocol, Endpoint, Attributes, ReturnSubscriptionArn: true }),
  );
  return SubscriptionArn;
}

const publish = (TopicArn: string, Message: string, more: object = {}) =>
  sns.send(new PublishCommand({ TopicArn, Message, ...more }));

async function receive(url: string, count: number): Promise<readonly Message[]> {
  const found: Message[] = [];
  while (found.length < count) {
    const { Messages = [] } = await sqs.send(
      new ReceiveMessageCommand({ QueueUrl: url, MaxNumberOfMessages: 10, WaitTimeSeconds: 20 }),
    );
    expect(Messages.length, `${found.length} of ${count} messages came`).toBeGreaterThan(0);
    found.push(...Messages);
  }
  return found;
}

describe("functions and queues", () => {
  it("get what is published, once they let the topic in", async () => {
    const [arn, target] = [await topic("orders"), await queue("orders")];
    await create(
      lambda,
      "told",
      `exports.handler = async ({ Records: [{ Sns }] }) => console.log("told", Sns.Message);`,
    );
    const { FunctionArn } = { FunctionArn: `arn:aws:lambda:us-east-1:${ACCOUNT}:function:told` };
    await subscribe(arn, "lambda", FunctionArn);
    await subscribe(arn, "sqs", target.arn, { RawMessageDelivery: "true" });
    await publish(arn, "too early for the function");
    expect((await receive(target.url, 1)).map(({ Body }) => Body)).toEqual(["too early for the function"]);
    await lambda.send(
      new AddPermissionCommand({
        FunctionName: "told",
        StatementId: "topic",
        Action: "lambda:InvokeFunction",
        Principal: "sns.amazonaws.com",
        SourceArn: arn,
      }),
    );
    await publish(arn, "in time");
    await until(async () => expect((await logged(platform.url, "told")).join("")).toContain("told in time"));
    expect((await logged(platform.url, "told")).join("")).not.toContain("too early");
  });
});

describe("an HTTP endpoint", () => {
  const seen: Record<string, string>[] = [];
  let server: Server;
  let endpoint: string;
  beforeAll(async () => {
    server = createServer((request, response) => {
      let body = "";
      request.setEncoding("utf8").on("data", (part: string) => (body += part));
      request.on("end", () => {
        seen.push(JSON.parse(body) as Record<string, string>);
        response.end();
      });
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`;
  });
  afterAll(() => server.close());

  it("confirms by a link, gets what is signed, and goes by a link", async () => {
    const arn = await topic("hooks");
    const SubscriptionArn = await subscribe(arn, "http", endpoint);
    await until(() => expect(seen).toHaveLength(1));
    const confirmation = await fetch(seen[0]?.["SubscribeURL"] ?? "");
    expect(confirmation.status).toBe(200);
    expect(await confirmation.text()).toContain(`<SubscriptionArn>${SubscriptionArn}</SubscriptionArn>`);
    const wrong = await fetch((seen[0]?.["SubscribeURL"] ?? "").replace(/....$/, "0000"));
    expect({ status: wrong.status, body: await wrong.text() }).toMatchObject({
      status: 400,
      body: expect.stringContaining("<Message>Invalid parameter: Token</Message>") as string,
    });

    await publish(arn, "hello", { Subject: "greeting" });
    await until(() => expect(seen).toHaveLength(2));
    const [, notification = {}] = seen;
    const text = ["Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"]
      .map((name) => `${name}\n${notification[name]}\n`)
      .join("");
    const certificate = await (await fetch(notification["SigningCertURL"] ?? "")).text();
    const verifier = createVerify("RSA-SHA1").update(text);
    expect(verifier.verify(certificate, notification["Signature"] ?? "", "base64")).toBe(true);

    expect((await fetch(notification["UnsubscribeURL"] ?? "")).status).toBe(200);
    await expect(sns.send(new GetSubscriptionAttributesCommand({ SubscriptionArn }))).rejects.toMatchObject({
      name: "NotFoundException",
    });
    await until(() => expect(seen.at(-1)).toMatchObject({ Type: "UnsubscribeConfirmation" }));
    expect((await fetch(seen.at(-1)?.["SubscribeURL"] ?? "")).status).toBe(200);
    const restored = await sns.send(new GetSubscriptionAttributesCommand({ SubscriptionArn }));
    expect(restored.Attributes?.["PendingConfirmation"]).toBe("false");
  });
});

describe("thaw outbox", () => {
  it("shows what people would have got, and how they would confirm", async () => {
    const arn = await topic("news");
    await subscribe(arn, "email", "someone@example.org");
    const json = await thaw(["outbox", "--json", "--endpoint", platform.url]);
    const entry = JSON.parse(json.stdout.trim().split("\n").at(-1) ?? "") as Record<string, string>;
    expect(entry).toMatchObject({ channel: "email", to: "someone@example.org" });
    expect((await fetch(entry["subscribeUrl"] ?? "")).status).toBe(200);
    await publish(arn, "line one\nline two\u001b[2J", { Subject: "News" });
    await until(async () => {
      const { stdout, code } = await thaw(["outbox", "--endpoint", platform.url]);
      expect(code).toBe(0);
      expect(stdout).toContain("email someone@example.org: News\n    line one\n    line two\n");
      expect(stdout).not.toContain("\u001b");
    });
  });

  it("says so where there is no platform", async () => {
    const { code, stderr } = await thaw(["outbox", "--endpoint", "http://127.0.0.1:1"]);
    expect({ code, stderr }).toEqual({
      code: 1,
      stderr: expect.stringContaining("There is no platform at http://127.0.0.1:1.") as string,
    });
  });
});

describe("a platform that is killed", () => {
  it("delivers afterwards what it had accepted", async () => {
    const [arn, target] = [await topic("durable"), await queue("durable")];
    await subscribe(arn, "sqs", target.arn, { RawMessageDelivery: "true" });
    const accepted: string[] = [];
    const publishers = Array.from({ length: 8 }, async (_, publisher) => {
      for (let number = 0; ; number++) {
        const message = `${publisher}:${number}`;
        try {
          await publish(arn, message);
        } catch {
          return;
        }
        accepted.push(message);
        if (accepted.length === 150) platform.kill("SIGKILL");
      }
    });
    await Promise.all(publishers);
    forget();
    await start();
    const delivered = new Set<string | undefined>();
    await until(async () => {
      const { Messages = [] } = await sqs.send(
        new ReceiveMessageCommand({
          QueueUrl: target.url.replace(/:\d+\//, `:${new URL(platform.url).port}/`),
          MaxNumberOfMessages: 10,
        }),
      );
      for (const { Body } of Messages) delivered.add(Body);
      expect(accepted.filter((message) => !delivered.has(message))).toEqual([]);
    });
  });
});
