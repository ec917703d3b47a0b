import { afterEach, beforeEach, expect, test } from "vitest";
import { createSnsFixture, type SnsFixture } from "../../support/sns-service.ts";
import { Recording } from "./recording.ts";
import type { Json } from "../lambda/recording.ts";

let sns: SnsFixture;

beforeEach(async () => {
  sns = await createSnsFixture();
});
afterEach(() => sns.close());

const FUNCTION = "arn:aws:lambda:us-east-1:111111111111:function:fn";

test.each([
  ["test_python_lambda_subscribe_sns_topic", "[Subject] Test subject", {}],
  [
    "test_publish_lambda_verify_signature[1]",
    "[Subject] Test subject Signature v1",
    { SignatureVersion: "1" },
  ],
  [
    "test_publish_lambda_verify_signature[2]",
    "[Subject] Test subject Signature v2",
    { SignatureVersion: "2" },
  ],
])("%s", async (scenario, Subject, attributes) => {
  const topic = await sns.topic("one", attributes);
  await sns.subscribe(topic, "lambda", FUNCTION);
  await sns.call("Publish", { TopicArn: topic, Subject, Message: "Hello world." });
  await sns.quiet();
  const [call] = sns.calls;
  expect(call).toMatchObject({
    service: "lambda",
    operation: "Invoke",
    input: { FunctionName: FUNCTION, InvocationType: "Event" },
    by: {
      principal: { kind: "service", service: "sns.amazonaws.com", account: "111111111111", sourceArn: topic },
      region: "us-east-1",
    },
  });
  const event = JSON.parse(String(call?.input["Payload"])) as { Records: { Sns: Json }[] };
  const [record] = event.Records;
  await new Recording("lambda", scenario).expect("notification", Promise.resolve(record?.Sns));
});
