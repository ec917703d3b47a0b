import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { systemIds } from "../../../src/core/ids.ts";
import type { InvocationResult } from "../../../src/engine/contract.ts";
import { Pollers } from "../../../src/engine/pollers/pollers.ts";
import { Readiness } from "../../../src/engine/pollers/readiness.ts";
import { createAwsCaller } from "../../../src/wire/aws-caller.ts";
import type { LambdaClientModule } from "../../../src/services/lambda/context.ts";
import type { InputOf } from "../../../src/wire/operation.ts";
import { createModels } from "../../../src/wire/schema/load.ts";
import { ACCOUNT, createLambdaFixture, REGION, type LambdaFixture } from "../../support/lambda-service.ts";
import { createSqsFixture, type SqsFixture } from "../../support/sqs-service.ts";
import { Recording, type Json } from "./recording.ts";

const models = createModels();
const FunctionName = "fn";
type Members = Record<string, Json>;
type Settings = Partial<InputOf<LambdaClientModule, "CreateEventSourceMapping">>;

let sqs: SqsFixture;
let lambda: LambdaFixture;
let readiness: Readiness;
let pollers: Pollers;

/** Lambda over the real SQS, on one clock. */
beforeEach(async () => {
  sqs = await createSqsFixture();
  const { clock, storage, service } = sqs;
  const fail = (problem: unknown) => {
    throw problem;
  };
  readiness = new Readiness(storage.queue, clock);
  pollers = new Pollers({ clock, onError: fail, most: 100, load: () => 0 });
  lambda = createLambdaFixture(storage, {
    clock,
    polling: {
      services: new Set(["sqs"]),
      pollers,
      ready: (arn) => (signal, afterNothing) =>
        readiness.wait([ACCOUNT, REGION, "sqs", arn.split(":").at(-1) ?? ""], signal, afterNothing),
    },
    caller: createAwsCaller({
      models,
      services: [service.definition],
      ids: systemIds,
      clock,
      authorise: () => {},
      onInternalError: fail,
      baseUrl: () => "http://127.0.0.1:4566",
    }),
  });
  await lambda.create(FunctionName, { Timeout: 1 });
});
afterEach(async () => {
  await pollers.close(0);
  readiness.close();
  await sqs.close();
});

const answers = (respond: (event: Members) => unknown): void => {
  lambda.engine.answer = ({ payload }): InvocationResult => {
    const response = respond(JSON.parse(Buffer.from(payload).toString()) as Members);
    const failed = response instanceof Error;
    return {
      payload: Buffer.from(JSON.stringify(failed ? { errorMessage: response.message } : response)),
      functionError: failed ? "Unhandled" : undefined,
      logTail: undefined,
    };
  };
};

const map = (EventSourceArn: string, settings: Settings = {}) =>
  lambda.call("CreateEventSourceMapping", { FunctionName, EventSourceArn, ...settings });

const sent = (url: string, ...bodies: string[]) =>
  sqs.call("SendMessageBatch", {
    QueueUrl: url,
    Entries: bodies.map((MessageBody, index) => ({ Id: String(index), MessageBody })),
  });

/** The events that the function was given, as the recorder wrote them. */
function given(): Json[] {
  return lambda.engine.invocations.map(({ payload }) => {
    const { Records } = JSON.parse(Buffer.from(payload).toString()) as { Records: Members[] };
    return { Records: Records.map(asRecorded) };
  });
}

function asRecorded(record: Members): Members {
  const attributes = record["attributes"] as Members;
  return {
    ...record,
    body: parsed(record["body"]),
    attributes: { ...attributes, SenderId: "sender-id", SentTimestamp: "sent-timestamp" },
  };
}

/** The recorder showed JSON as what it says. */
function parsed(text: Json | undefined): Json {
  if (typeof text !== "string" || !text.startsWith("{")) return text ?? null;
  return JSON.parse(text) as Json;
}

/** What a recorded function sent on: the event it got, within a message. */
const bodyOf = (step: Json): Members => (step as { Messages: { Body: Members }[] }).Messages[0]?.Body ?? {};

/** Bodies that were recorded as text stay text. */
function compareEvents(recording: Recording, recorded: Json, actual: Json | undefined, path: string): void {
  const { Records } = recorded as { Records: Members[] };
  const own = (actual as { Records: Members[] } | undefined)?.Records ?? [];
  const aligned = own.map((record, index) =>
    typeof Records[index]?.["body"] === "string"
      ? { ...record, body: JSON.stringify(record["body"]) }
      : record,
  );
  const texts = Records.map((record) =>
    typeof record["body"] === "string" && record["body"].startsWith("{")
      ? { ...record, body: JSON.stringify(JSON.parse(record["body"])) }
      : record,
  );
  recording.compare({ Records: texts }, { Records: aligned }, path);
}

describe("filters of a mapping to a queue", () => {
  test.each([
    ["and", '{"my-key-one":"my-value-one","my-key-two":"my-value-two"}', '{"my-key-one":"my-value-one"}'],
    ["exists", '{"my-key":"any-value-one"}', '{"other-key":"value"}'],
    [
      "filter2-item_matching2-item_not_matching2",
      '{"testItem":"test45","test2":"go"}',
      '{"testItem":"test67","test2":"go"}',
    ],
    ["filter3-item_matching3-item_not_matching3", '{"test2":"7411"}', '{"test5":"74545"}'],
    ["filter4-item_matching4-this is a test string", '{"test2":105}', "this is a test string"],
    ["filter7-item_matching7-item_not_matching7", '{"test2":"us-1-48454"}', '{"test2":"eu-wrong-48454"}'],
    ["numeric-range", '{"my-number":100}', '{"my-number":200}'],
    ["numeric-smaller", '{"my-number":99}', '{"my-number":100}'],
    ["or", '{"my-key":"my-value-two"}', '{"my-key":"my-value-three"}'],
    ["prefix", '{"my-key":"yes-value"}', '{"my-key":"no-value"}'],
    ["single", '{"my-key":"my-value"}', '{"my-key":"other"}'],
    ["single-filter", '{"testItem":"test24"}', '{"testItem":"tesWER"}'],
  ])("test_sqs_event_filter[%s]", async (scenario, matching, other) => {
    const recording = new Recording("sqs-mappings", `test_sqs_event_filter[${scenario}]`);
    const created = recording.read("create_event_source_mapping_response") as {
      FilterCriteria: { Filters: { Pattern: Json }[] };
    };
    const queue = await sqs.create("queue");
    const Filters = created.FilterCriteria.Filters.map(({ Pattern }) => ({
      Pattern: JSON.stringify(Pattern),
    }));
    const mapping = map(queue.arn, { MaximumBatchingWindowInSeconds: 1, FilterCriteria: { Filters } });
    await recording.expect(
      "create_event_source_mapping_response",
      mapping.then((response) => ({ ...response, FilterCriteria: created.FilterCriteria })),
    );
    await sent(queue.url, other, matching);
    await sqs.pass(2000);
    recording.compare(recording.read("invocation_events"), given(), scenario);
    expect(sqs.storage.queue.queues([ACCOUNT, REGION, "sqs"])).toEqual([]);
  });
});

describe("batches of a mapping to a queue", () => {
  test("test_sqs_event_source_mapping_batch_size[15]", async () => {
    const recording = new Recording("sqs-mappings", "test_sqs_event_source_mapping_batch_size[15]");
    const queue = await sqs.create("queue");
    const recorded: Members[] = (recording.read("Records") as Members[]).map((record) => ({
      ...record,
      attributes: { ...(record["attributes"] as Members), SenderId: "sender-id" },
    }));
    const bodies = recorded.map(({ body }) => body as string);
    const created = recording.read("create-event-source-mapping-response") as Members;
    const mapping = map(queue.arn, { BatchSize: 15, MaximumBatchingWindowInSeconds: 2 });
    await recording.expect(
      "create-event-source-mapping-response",
      mapping.then((response) => ({
        ...response,
        MaximumBatchingWindowInSeconds: created["MaximumBatchingWindowInSeconds"],
      })),
    );
    await sent(queue.url, ...bodies.slice(0, 10));
    await sent(queue.url, ...bodies.slice(10));
    await sqs.pass(3000);
    expect(given()).toHaveLength(1);
    const [event] = given() as { Records: Members[] }[];
    recording.compare(recorded, event?.Records ?? [], "Records");
  });

  test("test_message_body_and_attributes_passed_correctly", async () => {
    const scenario = "test_message_body_and_attributes_passed_correctly";
    const recording = new Recording("sqs-mappings", scenario);
    const queue = await sqs.create("queue");
    await map(queue.arn, { BatchSize: 1 });
    await sqs.call("SendMessage", {
      QueueUrl: queue.url,
      MessageBody: JSON.stringify({ destination: "<queue-url:1>", fail_attempts: 0 }),
      MessageAttributes: {
        Title: { DataType: "String", StringValue: "The Whistler" },
        Author: { DataType: "String", StringValue: "John Grisham" },
        WeeksOn: { DataType: "Number", StringValue: "6" },
      },
    });
    await sqs.pass(500);
    const [event] = given();
    compareEvents(recording, bodyOf(recording.read("first_attempt"))["event"] ?? null, event, scenario);
  });

  test("test_failing_lambda_retries_after_visibility_timeout", async () => {
    const scenario = "test_failing_lambda_retries_after_visibility_timeout";
    const recording = new Recording("sqs-mappings", scenario);
    const queue = await sqs.create("queue", { VisibilityTimeout: "5" });
    let failures = 1;
    answers(() => (failures-- > 0 ? new Error("failed attempt") : null));
    const { UUID } = await map(queue.arn, { BatchSize: 1 });
    await recording.expect("event_source_mapping", lambda.call("GetEventSourceMapping", { UUID }));
    await sqs.call("SendMessage", {
      QueueUrl: queue.url,
      MessageBody: JSON.stringify({ destination: "<queue-url:1>", fail_attempts: 1 }),
    });
    await sqs.pass(4000);
    expect(given()).toHaveLength(1);
    await sqs.pass(2000);
    expect(given()).toHaveLength(2);
    for (const [index, step] of ["first_attempt", "second_attempt"].entries())
      compareEvents(recording, bodyOf(recording.read(step))["event"] ?? null, given()[index], step);
    await sqs.pass(10_000);
    expect(given()).toHaveLength(2);
  });

  test("test_report_batch_item_failures", async () => {
    const recording = new Recording("sqs-mappings", "test_report_batch_item_failures");
    const dead = await sqs.create("dead.fifo", { FifoQueue: "true" });
    const queue = await sqs.create("queue.fifo", {
      FifoQueue: "true",
      VisibilityTimeout: "2",
      RedrivePolicy: JSON.stringify({ deadLetterTargetArn: dead.arn, maxReceiveCount: 2 }),
    });
    const attempts = new Map<string, number>();
    const results: Json[] = [];
    answers((event) => {
      const failed = (event["Records"] as Members[]).filter((record) => {
        const { messageId, body } = record as Record<"messageId" | "body", string>;
        const seen = (attempts.get(messageId) ?? 0) + 1;
        attempts.set(messageId, seen);
        return seen <= (JSON.parse(body) as { fail_attempts: number }).fail_attempts;
      });
      const result = {
        batchItemFailures: failed.map(({ messageId }) => ({ itemIdentifier: messageId ?? "" })),
      };
      results.push(result);
      return result;
    });
    const bodies = [0, 1, 1, 2].map((fail_attempts, index) => ({ message: index + 1, fail_attempts }));
    const sending = sqs.call("SendMessageBatch", {
      QueueUrl: queue.url,
      Entries: bodies.map((body, index) => ({
        Id: `message-${index + 1}`,
        MessageBody: JSON.stringify(body),
        MessageGroupId: "1",
        MessageDeduplicationId: `dedup-${index + 1}`,
      })),
    });
    await recording.expect(
      "send_message_batch",
      sending.then(({ Successful }) => ({ Successful })),
    );
    const mapping = map(queue.arn, {
      FunctionResponseTypes: ["ReportBatchItemFailures"],
      MaximumBatchingWindowInSeconds: 0,
      BatchSize: 10,
    });
    await recording.expect("create_event_source_mapping", mapping);
    await sqs.pass(6000);
    for (const [index, step] of ["first_invocation", "second_invocation"].entries()) {
      const { event, result } = bodyOf(recording.read(step));
      recording.compare(event ?? null, given()[index], `${step}.event`);
      recording.compare(result ?? null, results[index], `${step}.result`);
    }
    expect(given()).toHaveLength(2);
    await expectDead(recording, "dlq_response", dead.url);
  });

  test("test_report_batch_item_failures_invalid_result_json_batch_fails", async () => {
    const scenario = "test_report_batch_item_failures_invalid_result_json_batch_fails";
    const recording = new Recording("sqs-mappings", scenario);
    const dead = await sqs.create("dead");
    const queue = await sqs.create("queue", {
      VisibilityTimeout: "2",
      RedrivePolicy: JSON.stringify({ deadLetterTargetArn: dead.arn, maxReceiveCount: 2 }),
    });
    answers(() => ({ batchItemFailures: [{ foo: "notvalid" }] }));
    await map(queue.arn, { FunctionResponseTypes: ["ReportBatchItemFailures"] });
    await sent(queue.url, JSON.stringify({ message: 1, fail_attempts: 0 }));
    await sqs.pass(6000);
    expect(given()).toHaveLength(2);
    for (const [index, step] of ["first_invocation", "second_invocation"].entries())
      compareEvents(recording, bodyOf(recording.read(step))["event"] ?? null, given()[index], step);
    await expectDead(recording, "dlq_response", dead.url);
  });

  test("test_report_batch_item_failures_on_lambda_error", async () => {
    const scenario = "test_report_batch_item_failures_on_lambda_error";
    const recording = new Recording("sqs-mappings", scenario);
    const dead = await sqs.create("dead");
    const queue = await sqs.create("queue", {
      VisibilityTimeout: "2",
      RedrivePolicy: JSON.stringify({ deadLetterTargetArn: dead.arn, maxReceiveCount: 1 }),
    });
    answers(() => new Error("not a json body"));
    await sent(queue.url, "{not a json body", JSON.stringify({ message: 2, fail_attempts: 0 }));
    await map(queue.arn, { FunctionResponseTypes: ["ReportBatchItemFailures"] });
    await sqs.pass(4000);
    const { Messages = [] } = await sqs.call("ReceiveMessage", {
      QueueUrl: dead.url,
      MaxNumberOfMessages: 10,
    });
    const letters = Messages.map((message) => ({ ...message, Body: message.Body ?? "" }))
      .toSorted((a, b) => (a.Body < b.Body ? 1 : -1))
      .map(({ Body, MD5OfBody, MessageId, ReceiptHandle }) => ({
        Body: Body.startsWith("{not") ? Body : (JSON.parse(Body) as Json),
        MD5OfBody: MD5OfBody ?? null,
        MessageId: MessageId ?? null,
        ReceiptHandle: ReceiptHandle ?? null,
      }));
    recording.compare(recording.read("dlq_messages"), letters, "dlq_messages");
  });
});

test("the messages of a function that is gone stay in the queue, and its mapping says why", async () => {
  const queue = await sqs.create("queue");
  const { UUID } = await map(queue.arn);
  await lambda.call("DeleteFunction", { FunctionName });
  await sent(queue.url, "kept");
  await sqs.pass(2000);
  const { LastProcessingResult } = await lambda.call("GetEventSourceMapping", { UUID });
  expect(LastProcessingResult).toBe(
    `PROBLEM: Function not found: arn:aws:lambda:${REGION}:${ACCOUNT}:function:${FunctionName}`,
  );
  const { Messages } = await sqs.call("ReceiveMessage", {
    QueueUrl: queue.url,
    MessageSystemAttributeNames: ["ApproximateReceiveCount"],
  });
  expect(Messages?.[0]).toMatchObject({ Body: "kept", Attributes: { ApproximateReceiveCount: "1" } });
  await lambda.create(FunctionName, { Timeout: 1 });
  await sqs.pass(65_000);
  expect(given()).toMatchObject([{ Records: [{ body: "kept" }] }]);
});

async function expectDead(recording: Recording, step: string, QueueUrl: string): Promise<void> {
  const { Messages = [] } = await sqs.call("ReceiveMessage", { QueueUrl });
  const shown = Messages.map(({ Body, MD5OfBody, MessageId, ReceiptHandle }) => ({
    Body: parsed(Body),
    MD5OfBody: MD5OfBody ?? null,
    MessageId: MessageId ?? null,
    ReceiptHandle: ReceiptHandle ?? null,
  }));
  const { Messages: recorded = [] } = recording.read(step) as { Messages?: Json };
  recording.compare(recorded, shown, step);
}
