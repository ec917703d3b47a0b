import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createSnsFixture, type SnsFixture } from "../support/sns-service.ts";

let sns: SnsFixture;

beforeEach(async () => {
  sns = await createSnsFixture();
});
afterEach(() => sns.close());

describe("lists", () => {
  it("come in pages of a hundred, by tokens that no one can make up", async () => {
    await Promise.all(Array.from({ length: 205 }, (_, number) => sns.topic(`topic-${1000 + number}`)));
    const found: (string | undefined)[] = [];
    let token: string | undefined;
    const sizes: number[] = [];
    do {
      const { Topics = [], NextToken } = await sns.call("ListTopics", { NextToken: token });
      found.push(...Topics.map(({ TopicArn }) => TopicArn));
      sizes.push(Topics.length);
      token = NextToken;
    } while (token !== undefined);
    expect(sizes).toEqual([100, 100, 5]);
    expect(new Set(found).size).toBe(205);
    for (const forged of ["!", "bm8", Buffer.from('[{"a":1}]').toString("base64url")])
      await expect(sns.call("ListTopics", { NextToken: forged })).rejects.toMatchObject({
        code: "InvalidParameter",
      });
  });

  it("show subscriptions of all topics of an account and region, and pending ones without their ARN", async () => {
    const topic = await sns.topic("one");
    const confirmed = await sns.subscribe(topic, "sms", "+15551234567");
    await sns.subscribe(topic, "email", "someone@example.org");
    const { Subscriptions = [] } = await sns.call("ListSubscriptions", {});
    expect(new Set(Subscriptions.map(({ SubscriptionArn }) => SubscriptionArn))).toEqual(
      new Set([confirmed, "PendingConfirmation"]),
    );
    const elsewhere = await sns.call("ListSubscriptions", {}, { region: "eu-west-1" });
    expect(elsewhere.Subscriptions ?? []).toEqual([]);
    const others = await sns.call("ListSubscriptions", {}, { account: "222222222222" });
    expect(others.Subscriptions ?? []).toEqual([]);
  });

  it("show applications, and forget devices that were deleted", async () => {
    const { PlatformApplicationArn } = await sns.call("CreatePlatformApplication", {
      Name: "app",
      Platform: "GCM",
      Attributes: { PlatformCredential: "secret" },
    });
    expect((await sns.call("ListPlatformApplications", {})).PlatformApplications).toEqual([
      { PlatformApplicationArn, Attributes: { Enabled: "true" } },
    ]);
    const create = async () =>
      (await sns.call("CreatePlatformEndpoint", { PlatformApplicationArn, Token: "device" })).EndpointArn;
    const EndpointArn = await create();
    await sns.call("DeleteEndpoint", { EndpointArn });
    await sns.call("DeleteEndpoint", { EndpointArn });
    expect(await create()).not.toBe(EndpointArn);
  });
});

describe("phone numbers", () => {
  it("of the sandbox are verified by the code that the outbox holds", async () => {
    expect(await sns.call("GetSMSSandboxAccountStatus", {})).toMatchObject({ IsInSandbox: true });
    const PhoneNumber = "+15551234567";
    await sns.call("CreateSMSSandboxPhoneNumber", { PhoneNumber });
    const numbers = async () => (await sns.call("ListSMSSandboxPhoneNumbers", {})).PhoneNumbers;
    expect(await numbers()).toEqual([{ PhoneNumber, Status: "Pending" }]);
    const code = /\d{6}/.exec(sns.service.outbox().at(-1)?.body ?? "")?.[0] ?? "";
    const wrong = code === "000000" ? "000001" : "000000";
    await expect(
      sns.call("VerifySMSSandboxPhoneNumber", { PhoneNumber, OneTimePassword: wrong }),
    ).rejects.toMatchObject({ code: "VerificationException" });
    await sns.call("VerifySMSSandboxPhoneNumber", { PhoneNumber, OneTimePassword: code });
    expect(await numbers()).toEqual([{ PhoneNumber, Status: "Verified" }]);
    await sns.call("DeleteSMSSandboxPhoneNumber", { PhoneNumber });
    expect((await numbers()) ?? []).toEqual([]);
    await expect(sns.call("DeleteSMSSandboxPhoneNumber", { PhoneNumber })).rejects.toMatchObject({
      code: "ResourceNotFound",
    });
  });

  it("are not opted out before they say so, and none can send", async () => {
    const phoneNumber = "+15551234567";
    const asked = await sns.call("CheckIfPhoneNumberIsOptedOut", { phoneNumber });
    expect(asked.isOptedOut).toBe(false);
    expect((await sns.call("ListPhoneNumbersOptedOut", {})).phoneNumbers ?? []).toEqual([]);
    expect((await sns.call("ListOriginationNumbers", {})).PhoneNumbers ?? []).toEqual([]);
  });
});

describe("topics", () => {
  it("refuse what is not built, by its name", async () => {
    await expect(
      sns.topic("one.fifo", { ArchivePolicy: '{"MessageRetentionPeriod":"30"}' }),
    ).rejects.toMatchObject({
      message: "Invalid parameter: ArchivePolicy: the archiving of messages is not built into this platform",
    });
    const topic = await sns.topic("one");
    await expect(sns.subscribe(topic, "firehose", "arn:aws:firehose:us-east-1:1:x")).rejects.toMatchObject({
      message: "Invalid parameter: Protocol firehose: Amazon Data Firehose is not built into this platform",
    });
  });

  it.each([
    ["SignatureVersion", "3", "SignatureVersion: Invalid value [3]. Must be 1 or 2."],
    ["ContentBasedDeduplication", "true", "ContentBasedDeduplication: only FIFO topics have it"],
    [
      "DeliveryPolicy",
      '{"http":{"defaultHealthyRetryPolicy":{"numRetries":101}}}',
      "DeliveryPolicy: numRetries must be between 0 and 100",
    ],
    [
      "DeliveryPolicy",
      '{"http":{"defaultHealthyRetryPolicy":{"minDelayTarget":30}}}',
      "DeliveryPolicy: minDelayTarget must be less than or equal to maxDelayTarget",
    ],
    ["DeliveryPolicy", "[".repeat(100_000), "DeliveryPolicy: too long"],
    ["Policy", '{"Statement":{"Effect":"Perhaps"}}', "Policy statement could not be parsed"],
  ])("keep no %s that would mean nothing: %.40s", async (AttributeName, AttributeValue, message) => {
    const TopicArn = await sns.topic("one");
    await expect(
      sns.call("SetTopicAttributes", { TopicArn, AttributeName, AttributeValue }),
    ).rejects.toMatchObject({ code: "InvalidParameter", message: `Invalid parameter: ${message}` });
  });

  it("take an empty filter policy for none", async () => {
    const topic = await sns.topic("one");
    const FilterPolicy = '{"a":["b"]}';
    const SubscriptionArn = await sns.subscribe(topic, "sms", "+15551234567", { FilterPolicy });
    await sns.call("SetSubscriptionAttributes", {
      SubscriptionArn,
      AttributeName: "FilterPolicy",
      AttributeValue: "{}",
    });
    const { Attributes } = await sns.call("GetSubscriptionAttributes", { SubscriptionArn });
    expect(Object.keys(Attributes ?? {})).not.toContain("FilterPolicy");
    await sns.call("Publish", { TopicArn: topic, Message: "hello" });
    await sns.quiet();
    expect(sns.service.outbox()).toHaveLength(1);
  });
});
