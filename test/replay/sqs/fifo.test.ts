import type { Message } from "@aws-sdk/client-sqs";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { createSqsFixture, type SqsFixture, type SqsProtocol } from "../../support/sqs-service.ts";
import { Recording } from "./recording.ts";

let sqs: SqsFixture;
beforeEach(async () => {
  sqs = await createSqsFixture();
});
afterEach(async () => {
  expect(sqs.problems).toEqual([]);
  await sqs.close();
});

const both: readonly (readonly [string, SqsProtocol])[] = [
  ["sqs", "aws-json-1.0"],
  ["sqs_query", "query"],
];

/** A FIFO queue as one client sees it. */
async function fifo(protocol: SqsProtocol, attributes: Record<string, string> = {}) {
  const { url: QueueUrl } = await sqs.create("q.fifo", { FifoQueue: "true", ...attributes });
  const options = { protocol };
  return {
    send: (MessageBody: string, MessageGroupId: string, MessageDeduplicationId?: string) =>
      sqs.call("SendMessage", { QueueUrl, MessageBody, MessageGroupId, MessageDeduplicationId }, options),
    receive: (
      more: { MaxNumberOfMessages?: number; WaitTimeSeconds?: number; VisibilityTimeout?: number } = {},
    ) => sqs.patiently("ReceiveMessage", { QueueUrl, ...more }, options),
    receiveAll: () => sqs.call("ReceiveMessage", { QueueUrl, AttributeNames: ["All"] }, options),
    remove: (message: Message | undefined) =>
      sqs.call("DeleteMessage", { QueueUrl, ReceiptHandle: message?.ReceiptHandle }, options),
    extend: (message: Message | undefined, VisibilityTimeout: number) =>
      sqs.call(
        "ChangeMessageVisibility",
        { QueueUrl, ReceiptHandle: message?.ReceiptHandle, VisibilityTimeout },
        options,
      ),
    url: QueueUrl,
  };
}

const byContent = { ContentBasedDeduplication: "true" };
const highThroughput = { DeduplicationScope: "messageGroup", FifoThroughputLimit: "perMessageGroupId" };

describe("deduplication", () => {
  test.each(both)("test_fifo_deduplication_arrives_once_after_delete[%s-False]", async (name, protocol) => {
    const recording = new Recording(
      "fifo",
      `test_fifo_deduplication_arrives_once_after_delete[${name}-False]`,
    );
    const queue = await fifo(protocol);
    const body = '{"foo": "bar"}';
    const { MessageId } = await queue.send(body, "group-1", "dedup1");
    const first = queue.receive({ WaitTimeSeconds: 3 });
    await recording.expect("get-messages", first);
    await queue.remove((await first).Messages?.[0]);
    expect((await queue.send(body, "group-1", "dedup1")).MessageId).toBe(MessageId);
    await recording.expect("get-messages-duplicate", queue.receive({ WaitTimeSeconds: 1 }));
  });

  test("test_sqs_fifo_same_dedup_id_different_message_groups", async () => {
    const recording = new Recording("fifo", "test_sqs_fifo_same_dedup_id_different_message_groups[sqs]");
    const queue = await fifo("aws-json-1.0");
    await queue.send("Test", "1", "1");
    await queue.send("Test", "2", "1");
    await recording.expect("same-dedup-different-grp-1", queue.receive());
    await recording.expect("same-dedup-different-grp-2", queue.receive());
  });

  test("test_sqs_fifo_message_group_scope_no_throughput_setting", async () => {
    const recording = new Recording("fifo", "test_sqs_fifo_message_group_scope_no_throughput_setting[sqs]");
    const queue = await fifo("aws-json-1.0", { DeduplicationScope: "messageGroup" });
    await queue.send("Test", "1", "1");
    await queue.send("Test", "2", "1");
    await recording.expect("same-dedup-different-grp-1", queue.receive());
    await recording.expect("same-dedup-different-grp-2", queue.receive());
  });

  test.each(both)("test_fifo_high_throughput_ordering[%s]", async (name, protocol) => {
    const recording = new Recording("fifo", `test_fifo_high_throughput_ordering[${name}]`);
    const queue = await fifo(protocol, highThroughput);
    await queue.send("Test1", "1", "1");
    await queue.send("Test2", "2", "1");
    await recording.expect("same-dedup-different-grp-1", queue.receive());
    await recording.expect("same-dedup-different-grp-2", queue.receive());
  });

  test.each(both)("test_send_batch_missing_…_for_fifo_queue[%s]", async (name, protocol) => {
    const { url } = await fifo(protocol);
    const good = { Id: "1", MessageBody: "b", MessageGroupId: "g", MessageDeduplicationId: "d" };
    const send = (bad: object) =>
      sqs.call(
        "SendMessageBatch",
        { QueueUrl: url, Entries: [good, { Id: "2", MessageBody: "b", ...bad }] },
        { protocol },
      );
    await new Recording("fifo", `test_send_batch_missing_deduplication_id_for_fifo_queue[${name}]`).expect(
      "test_missing_deduplication_id_for_fifo_queue",
      send({ MessageGroupId: "g" }),
    );
    await new Recording("fifo", `test_send_batch_missing_message_group_id_for_fifo_queue[${name}]`).expect(
      "test_missing_message_group_id_for_fifo_queue",
      send({ MessageDeduplicationId: "e" }),
    );
  });
});

describe("groups", () => {
  test.each(both)("test_fifo_empty_message_groups_added_back_to_queue[%s]", async (name, protocol) => {
    const recording = new Recording("fifo", `test_fifo_empty_message_groups_added_back_to_queue[${name}]`);
    const queue = await fifo(protocol, byContent);
    await queue.send("Message 1", "g1");
    const first = queue.receive();
    await recording.expect("inital-fifo-receive", first);
    await queue.remove((await first).Messages?.[0]);
    await recording.expect("empty-fifo-receive", queue.receive());
    await queue.send("Message 2", "g1");
    await recording.expect("final-fifo-receive", queue.receive());
  });

  const kept = [
    ["sqs", "all-invisible", [0, 1, 2]],
    ["sqs", "1-visible", [1, 2]],
    ["sqs", "2-visible", [2]],
    ["sqs", "no-invisible", []],
    ["sqs_query", "no-invisible", []],
  ] as const;
  test.each(kept)(
    "test_fifo_group_visibility_extends_with_change_message_visibility[%s-%s]",
    async (protocol, name, extended) => {
      const recording = new Recording(
        "fifo",
        `test_fifo_group_visibility_extends_with_change_message_visibility[${protocol}-${name}]`,
      );
      const queue = await fifo(protocol === "sqs" ? "aws-json-1.0" : "query", byContent);
      for (const body of ["foo", "bar", "baz"]) await queue.send(body, "g1");
      const all = queue.receive({ MaxNumberOfMessages: 3, VisibilityTimeout: 2 });
      await recording.expect("receive_all_messages", all);
      for (const index of extended) await queue.extend((await all).Messages?.[index], 30);
      await sqs.pass(3000);
      // Two at most: only so do the recordings of none and of one that stays away agree.
      await recording.expect("some-messages-invisible", queue.receive({ MaxNumberOfMessages: 2 }));
    },
  );

  test("test_fifo_queue_send_message_with_delay_seconds_fails", async () => {
    const recording = new Recording(
      "fifo",
      "test_fifo_queue_send_message_with_delay_seconds_fails[sqs_query]",
    );
    const { url: QueueUrl } = await fifo("query", byContent);
    const message = { QueueUrl, MessageBody: "message-1", MessageGroupId: "1", DelaySeconds: 2 };
    await recording.expect("send_message", sqs.call("SendMessage", message, { protocol: "query" }));
  });

  test.each(both)("test_fifo_message_attributes[%s]", async (name, protocol) => {
    const recording = new Recording("fifo", `test_fifo_message_attributes[${name}]`);
    const queue = await fifo(protocol, { ...byContent, ...highThroughput, VisibilityTimeout: "0" });
    await recording.expect("send_message", queue.send("message-body-1", "group-1", "dedup-1"));
    await recording.expect("receive_message_0", queue.receiveAll());
    await recording.expect("receive_message_1", queue.receiveAll());
  });
});

describe("receipt handles", () => {
  test("test_fifo_delete_after_visibility_timeout", async () => {
    const recording = new Recording("fifo", "test_fifo_delete_after_visibility_timeout[sqs]");
    const queue = await fifo("aws-json-1.0", { ...byContent, VisibilityTimeout: "1" });
    await queue.send("foobar", "1");
    const received = queue.receive();
    await recording.expect("received_sqs_message", received);
    await sqs.pass(2000);
    await recording.expect("delete_after_timeout_fifo", queue.remove((await received).Messages?.[0]));
  });

  test.each(both)("test_fifo_delete_after_visibility_timeout_extended[%s]", async (name, protocol) => {
    const recording = new Recording("fifo", `test_fifo_delete_after_visibility_timeout_extended[${name}]`);
    const queue = await fifo(protocol, { ...byContent, VisibilityTimeout: "1" });
    await queue.send("foobar", "1");
    const received = queue.receive();
    await recording.expect("received_sqs_message", received);
    const message = (await received).Messages?.[0];
    await queue.extend(message, 30);
    await sqs.pass(2000);
    await recording.expect("delete_after_timeout_fifo_extended", queue.remove(message));
  });
});

/** Scenarios of which no response was recorded: what they assert of AWS. */
describe("without recorded responses", () => {
  test("test_dead_letter_queue_with_fifo_and_content_based_deduplication", async () => {
    const dead = await sqs.create("dead.fifo", { FifoQueue: "true", ...byContent });
    const RedrivePolicy = JSON.stringify({ deadLetterTargetArn: dead.arn, maxReceiveCount: 2 });
    const queue = await fifo("aws-json-1.0", { ...byContent, RedrivePolicy });
    const { MessageId } = await queue.send("foobar", "1");
    const receive = async () =>
      (await queue.receive({ WaitTimeSeconds: 1, VisibilityTimeout: 0 })).Messages?.length ?? 0;
    expect([await receive(), await receive(), await receive()]).toEqual([1, 1, 0]);
    const { Messages } = await sqs.patiently("ReceiveMessage", { QueueUrl: dead.url, WaitTimeSeconds: 10 });
    expect(Messages).toMatchObject([{ MessageId, Body: "foobar" }]);
  });

  test.each(both)("test_fifo_approximate_number_of_messages_not_visible[%s]", async (_name, protocol) => {
    const queue = await fifo(protocol, byContent);
    for (const group of ["1", "2"]) for (const n of [1, 2]) await queue.send(`${group}-${n}`, group);
    const counts = async () => {
      const AttributeNames = [
        "ApproximateNumberOfMessages",
        "ApproximateNumberOfMessagesNotVisible",
      ] as const;
      const { Attributes } = await sqs.call("GetQueueAttributes", {
        QueueUrl: queue.url,
        AttributeNames: [...AttributeNames],
      });
      return AttributeNames.map((name) => Attributes?.[name]);
    };
    expect(await counts()).toEqual(["4", "0"]);
    const { Messages = [] } = await queue.receive({ MaxNumberOfMessages: 3 });
    expect(await counts()).toEqual(["1", "3"]);
    await queue.extend(Messages[0], 0);
    expect(await counts()).toEqual(["2", "2"]);
    await queue.remove(Messages[1]);
    expect(await counts()).toEqual(["2", "1"]);
  });

  test("test_fifo_delete_message_with_expired_receipt_handle", async () => {
    const queue = await fifo("aws-json-1.0", { ...byContent, VisibilityTimeout: "1" });
    await queue.send("g1-m1", "1");
    const { Messages } = await queue.receive();
    await sqs.pass(2000);
    await expect(queue.remove(Messages?.[0])).rejects.toMatchObject({
      error: { Code: "InvalidParameterValue" },
    });
  });
});
