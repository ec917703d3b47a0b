import { afterEach, beforeEach, expect, test } from "vitest";
import { DeliveryFailure } from "../../../src/services/sns/delivery/failure.ts";
import { createSnsFixture, type Posted, type SnsFixture } from "../../support/sns-service.ts";
import type { Json } from "../lambda/recording.ts";
import { Recording } from "./recording.ts";

let sns: SnsFixture;

beforeEach(async () => {
  sns = await createSnsFixture();
});
afterEach(() => sns.close());

const ENDPOINT = "http://endpoint.example.org/sns-endpoint";
const replay = (scenario: string) => new Recording("http", scenario);

/** Headers as the recording web server shows them, with those that the network adds. */
function headersOf(posted: Posted | undefined): Promise<Json> {
  const name = (text: string) => text.toLowerCase().replaceAll(/(?:^|-)[a-z]/g, (part) => part.toUpperCase());
  const shown = Object.entries(posted?.headers ?? {}).map(([header, value]) => [name(header), value]);
  return Promise.resolve({
    ...(Object.fromEntries(shown) as Record<string, string>),
    Host: new URL(posted?.endpoint ?? "").host,
    Connection: "connection",
    "Content-Length": "content--length",
  });
}

function bodyOf(posted: Posted | undefined): Promise<Json> {
  return Promise.resolve(JSON.parse(posted?.body ?? "") as Json);
}

async function next(): Promise<Posted | undefined> {
  await sns.quiet();
  return sns.posted.shift();
}

test("test_http_subscription_response", async () => {
  const recording = replay("test_http_subscription_response");
  const created = sns.call("CreateTopic", { Name: "one" });
  await recording.expect("topic-arn", created);
  const { TopicArn } = await created;
  const subscribe = { TopicArn, Protocol: "http", Endpoint: ENDPOINT };
  await recording.expect("subscription", sns.call("Subscribe", subscribe));
  await recording.expect(
    "subscription-with-arn",
    sns.call("Subscribe", { ...subscribe, ReturnSubscriptionArn: true }),
  );
});

test("test_subscribe_external_http_endpoint[True]", async () => {
  const recording = replay("test_subscribe_external_http_endpoint[True]");
  const topic = await sns.topic("one");
  const subscription = await sns.subscribe(topic, "http", ENDPOINT, { RawMessageDelivery: "true" });
  const asked = await next();
  await recording.expect("subscription-confirmation", bodyOf(asked));
  await recording.expect("http-confirm-sub-headers", headersOf(asked));
  const { Token, SubscribeURL } = (await bodyOf(asked)) as Record<string, string>;
  expect(SubscribeURL).toBe(
    `http://127.0.0.1:4566/?Action=ConfirmSubscription&TopicArn=${topic}&Token=${Token}`,
  );
  await sns.call("ConfirmSubscription", { TopicArn: topic, Token });
  await sns.call("Publish", { TopicArn: topic, Message: "test_external_http_endpoint" });
  const delivered = await next();
  expect(delivered?.body).toBe("test_external_http_endpoint");
  await recording.expect("http-message-headers-raw", headersOf(delivered));
  await sns.call("Unsubscribe", { SubscriptionArn: subscription });
  await recording.expect("unsubscribe-request", bodyOf(await next()));
});

test("test_subscribe_external_http_endpoint_content_type[False]", async () => {
  const recording = replay("test_subscribe_external_http_endpoint_content_type[False]");
  const TopicArn = await sns.topic("one", {
    DeliveryPolicy: JSON.stringify({
      http: { defaultRequestPolicy: { headerContentType: "application/json" } },
    }),
  });
  await recording.expect("topic-attrs", sns.call("GetTopicAttributes", { TopicArn }));
  const retries = { numRetries: 0, numNoDelayRetries: 0, numMinDelayRetries: 0, numMaxDelayRetries: 0 };
  const SubscriptionArn = await sns.subscribe(TopicArn, "http", ENDPOINT, {
    RawMessageDelivery: "false",
    DeliveryPolicy: JSON.stringify({
      healthyRetryPolicy: { minDelayTarget: 1, maxDelayTarget: 1, ...retries, backoffFunction: "linear" },
      sicklyRetryPolicy: null,
      throttlePolicy: { maxReceivesPerSecond: 1000 },
      guaranteed: false,
    }),
  });
  await recording.expect("sub-attrs", sns.call("GetSubscriptionAttributes", { SubscriptionArn }));
  const asked = await next();
  await recording.expect("subscription-confirmation", bodyOf(asked));
  await recording.expect("http-confirm-sub-headers", headersOf(asked));
  const { Token } = (await bodyOf(asked)) as Record<string, string>;
  await sns.call("ConfirmSubscription", { TopicArn, Token });
  await sns.call("Publish", { TopicArn, Message: "test_external_http_endpoint" });
  const delivered = await next();
  await recording.expect("http-message", bodyOf(delivered));
  await recording.expect("http-message-headers", headersOf(delivered));
});

test("test_subscribe_external_http_endpoint_lambda_url_sig_validation", async () => {
  const recording = replay("test_subscribe_external_http_endpoint_lambda_url_sig_validation");
  /** As a function URL hands requests to its function, without what the network adds. */
  const events = async (posted: Posted | undefined): Promise<Json> => {
    const headers = Object.entries(posted?.headers ?? {}).map(([name, value]) => [name.toLowerCase(), value]);
    return {
      events: [
        { headers: Object.fromEntries(headers) as Record<string, string>, body: await bodyOf(posted) },
      ],
    };
  };
  const topic = await sns.topic("one");
  const SubscriptionArn = await sns.subscribe(topic, "http", ENDPOINT);
  const asked = await next();
  await recording.expect("subscription-confirmation", events(asked));
  const { Token } = (await bodyOf(asked)) as Record<string, string>;
  await recording.expect("confirm-subscription", sns.call("ConfirmSubscription", { TopicArn: topic, Token }));
  await sns.call("Publish", { TopicArn: topic, Message: "test_external_http_endpoint" });
  await recording.expect("publish-event", events(await next()));
  await sns.call("Unsubscribe", { SubscriptionArn });
  await recording.expect("unsubscribe-event", events(await next()));
});

test("a confirmation is tried again as AWS does where nothing is said: three times, 20 s apart", async () => {
  sns.answer = () => Promise.reject(new DeliveryFailure("HTTP 503", { permanent: false }));
  await sns.subscribe(await sns.topic("one"), "http", ENDPOINT);
  await sns.pass(19_000);
  expect(sns.posted).toHaveLength(1);
  await sns.pass(60_000);
  expect(sns.posted).toHaveLength(4);
  await sns.pass(60_000);
  expect(sns.posted).toHaveLength(4);
});
