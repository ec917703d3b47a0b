import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createSnsFixture, type SnsFixture } from "../support/sns-service.ts";
import { createOutbox } from "../../src/services/sns/outbox.ts";

let sns: SnsFixture;

beforeEach(async () => {
  sns = await createSnsFixture();
});
afterEach(() => sns.close());

const last = () => sns.service.outbox().at(-1);

describe("mail", () => {
  it("asks to confirm with a token, and comes from then on", async () => {
    const topic = await sns.topic("one");
    const subscription = await sns.subscribe(topic, "email", "someone@example.org");
    const asked = last();
    expect(asked).toMatchObject({
      channel: "email",
      to: "someone@example.org",
      subject: "AWS Notification - Subscription Confirmation",
      subscribeUrl: `http://127.0.0.1:4566/?Action=ConfirmSubscription&TopicArn=${topic}&Token=${asked?.token}`,
    });
    await sns.call("Publish", { TopicArn: topic, Message: "too early" });
    await sns.quiet();
    expect(last()).toEqual(asked);
    const confirmed = await sns.call("ConfirmSubscription", {
      TopicArn: topic,
      Token: asked?.token,
      AuthenticateOnUnsubscribe: "true",
    });
    expect(confirmed.SubscriptionArn).toBe(subscription);
    await sns.call("Publish", { TopicArn: topic, Subject: "Order", Message: "received" });
    await sns.quiet();
    expect(last()).toMatchObject({
      subject: "Order",
      body: expect.stringMatching(/^received\n\n--\n/) as string,
    });
  });

  it("is the whole notification where JSON was asked for", async () => {
    const topic = await sns.topic("one");
    await sns.subscribe(topic, "email-json", "someone@example.org");
    await sns.call("ConfirmSubscription", { TopicArn: topic, Token: last()?.token });
    await sns.call("Publish", { TopicArn: topic, Message: "received" });
    await sns.quiet();
    expect(JSON.parse(last()?.body ?? "")).toMatchObject({ Type: "Notification", Message: "received" });
    expect(last()?.subject).toBe("AWS Notification Message");
  });
});

describe("a subscription that nobody confirms", () => {
  const DAY = 24 * 3_600_000;

  /** Passes time while the service is down: nobody looks once a second for a whole day. */
  const sleep = async (ms: number) => {
    await sns.service.stop(0);
    sns.clock.advance(ms);
    await sns.crash();
    await sns.quiet();
  };

  it("is gone after two days, with its token, unless it was asked for again", async () => {
    const topic = await sns.topic("one");
    const pending = async () => {
      const { Attributes } = await sns.call("GetTopicAttributes", { TopicArn: topic });
      return Attributes?.["SubscriptionsPending"];
    };
    await sns.subscribe(topic, "email", "one@example.org");
    await sns.subscribe(topic, "email", "two@example.org");
    const early = last()?.token;
    await sleep(DAY);
    await sns.subscribe(topic, "email", "two@example.org");
    expect(await pending()).toBe("2");
    await sleep(DAY);
    expect(await pending()).toBe("1");
    await expect(sns.call("ConfirmSubscription", { TopicArn: topic, Token: early })).rejects.toMatchObject({
      message: "Invalid parameter: Token",
    });
    await sleep(DAY);
    expect(await pending()).toBe("0");
    expect([...sns.storage.documents.list(["111111111111", "us-east-1", "sns-token"])]).toEqual([]);
  });
});

describe("phones and devices", () => {
  it("get the text that is meant for them", async () => {
    const topic = await sns.topic("one");
    const { PlatformApplicationArn } = await sns.call("CreatePlatformApplication", {
      Name: "app",
      Platform: "GCM",
      Attributes: { PlatformCredential: "secret" },
    });
    const { EndpointArn = "" } = await sns.call("CreatePlatformEndpoint", {
      PlatformApplicationArn,
      Token: "device",
    });
    await sns.subscribe(topic, "sms", "+15551234567");
    await sns.subscribe(topic, "application", EndpointArn);
    const Message = JSON.stringify({ default: "all", sms: "short", GCM: '{"data":{}}' });
    await sns.call("Publish", { TopicArn: topic, Message, MessageStructure: "json" });
    await sns.quiet();
    const sent = sns.service.outbox().map(({ channel, to, body }) => ({ channel, to, body }));
    expect(sent.toSorted((a, b) => a.channel.localeCompare(b.channel))).toEqual([
      { channel: "application", to: EndpointArn, body: '{"data":{}}' },
      { channel: "sms", to: "+15551234567", body: "short" },
    ]);
  });

  it("get nothing once they are disabled", async () => {
    const { PlatformApplicationArn } = await sns.call("CreatePlatformApplication", {
      Name: "app",
      Platform: "GCM",
      Attributes: { PlatformCredential: "secret" },
    });
    const { EndpointArn: TargetArn } = await sns.call("CreatePlatformEndpoint", {
      PlatformApplicationArn,
      Token: "device",
    });
    await sns.call("SetEndpointAttributes", { EndpointArn: TargetArn, Attributes: { Enabled: "false" } });
    await expect(sns.call("Publish", { TargetArn, Message: "hello" })).rejects.toMatchObject({
      code: "EndpointDisabled",
    });
    await sns.call("Publish", { PhoneNumber: "+15551234567", Message: "hello" });
    expect(sns.service.outbox()).toHaveLength(1);
  });
});

describe("the outbox", () => {
  it("keeps the last messages, in order, whoever writes at the same time", async () => {
    const { documents } = sns.storage;
    const outbox = createOutbox({ documents, clock: sns.clock, most: 5 });
    const message = { channel: "sms", account: "1", region: "r", to: "+1", messageId: "id" } as const;
    await Promise.all(
      Array.from({ length: 12 }, (_, number) => outbox.put({ ...message, body: String(number) })),
    );
    const kept = outbox.list();
    expect(kept.map(({ number }) => number)).toEqual([7, 8, 9, 10, 11]);
    expect(kept[0]?.time).toBe(new Date(sns.clock.now()).toISOString());
  });
});
