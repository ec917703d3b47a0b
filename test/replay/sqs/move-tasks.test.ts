import { afterEach, beforeEach, expect, test } from "vitest";
import { createSqsFixture, REGION, type SqsFixture } from "../../support/sqs-service.ts";
import { Recording } from "./recording.ts";

let sqs: SqsFixture;
beforeEach(async () => {
  sqs = await createSqsFixture();
});
afterEach(async () => {
  expect(sqs.problems).toEqual([]);
  await sqs.close();
});

type Queue = Awaited<ReturnType<SqsFixture["create"]>>;

/** A queue, its dead letter queue, and `count` messages that have got there. */
async function deadLetters(count: number, name = "source", dead?: Queue) {
  const target = dead ?? (await sqs.create("dead"));
  const RedrivePolicy = JSON.stringify({ deadLetterTargetArn: target.arn, maxReceiveCount: 1 });
  const queue = await sqs.create(name, { RedrivePolicy });
  for (let index = 0; index < count; index++)
    await sqs.call("SendMessage", { QueueUrl: queue.url, MessageBody: `${name}-${index}` });
  for (let index = 0; index < 2 * count; index++)
    await sqs.call("ReceiveMessage", { QueueUrl: queue.url, VisibilityTimeout: 0 });
  return { queue, dead: target };
}

const start = (SourceArn: string, DestinationArn?: string, MaxNumberOfMessagesPerSecond?: number) =>
  sqs.call("StartMessageMoveTask", { SourceArn, DestinationArn, MaxNumberOfMessagesPerSecond });
const list = (SourceArn: string) => sqs.call("ListMessageMoveTasks", { SourceArn });
const bodies = async (QueueUrl: string) => {
  const { Messages = [] } = await sqs.call("ReceiveMessage", { QueueUrl, MaxNumberOfMessages: 10 });
  return Messages.map(({ Body = "" }) => Body).toSorted((a, b) => (a < b ? -1 : 1));
};

test("test_basic_move_task_workflow", async () => {
  const recording = new Recording("move-tasks", "test_basic_move_task_workflow");
  const { dead } = await deadLetters(2);
  const destination = await sqs.create("destination");
  const started = start(dead.arn, destination.arn);
  await recording.expect("start-message-move-task-response", started);
  const handle = Buffer.from((await started).TaskHandle ?? "", "base64");
  expect(JSON.parse(handle.toString())).toEqual({ taskId: expect.any(String), sourceArn: dead.arn });
  await sqs.pass(1000);
  expect(await bodies(destination.url)).toEqual(["source-0", "source-1"]);
  await recording.expect("list-message-move-task-response", list(dead.arn));
  expect(await bodies(dead.url)).toEqual([]);
});

test("test_move_task_workflow_with_multiple_sources_as_default_destination", async () => {
  const recording = new Recording(
    "move-tasks",
    "test_move_task_workflow_with_multiple_sources_as_default_destination",
  );
  const one = await deadLetters(2, "one");
  const two = await deadLetters(2, "two", one.dead);
  await recording.expect("source-arn", Promise.resolve(one.dead.arn));
  await recording.expect("original-source-1", Promise.resolve(one.queue.arn));
  await recording.expect("original-source-2", Promise.resolve(two.queue.arn));
  await recording.expect("start-message-move-task-response", start(one.dead.arn));
  await sqs.pass(1000);
  await recording.expect("list-message-move-task-response", list(one.dead.arn));
  expect(await bodies(one.queue.url)).toEqual(["one-0", "one-1"]);
  expect(await bodies(two.queue.url)).toEqual(["two-0", "two-1"]);
});

test("test_move_task_with_throughput_limit", async () => {
  const recording = new Recording("move-tasks", "test_move_task_with_throughput_limit");
  const { dead } = await deadLetters(4);
  const destination = await sqs.create("destination");
  await recording.expect("start-message-move-task-response", start(dead.arn, destination.arn, 1));
  await sqs.pass(2500);
  expect(await bodies(destination.url)).toEqual(["source-0", "source-1", "source-2"]);
  await sqs.pass(1000);
  expect(await bodies(destination.url)).toEqual(["source-3"]);
});

test("test_move_task_delete_destination_queue_while_running", async () => {
  const recording = new Recording("move-tasks", "test_move_task_delete_destination_queue_while_running");
  const { dead } = await deadLetters(10);
  const destination = await sqs.create("destination");
  await start(dead.arn, destination.arn, 1);
  await sqs.pass(2500);
  await sqs.call("DeleteQueue", { QueueUrl: destination.url });
  await sqs.pass(1000);
  await recording.expect("list", list(dead.arn));
  expect(await bodies(dead.url)).toHaveLength(7);
});

test("test_start_multiple_move_tasks", async () => {
  const recording = new Recording("move-tasks", "test_start_multiple_move_tasks");
  const { dead } = await deadLetters(10);
  const destination = await sqs.create("destination");
  await start(dead.arn, destination.arn, 1);
  await recording.expect("error", start(dead.arn, destination.arn));
});

test("test_destination_needs_to_exist", async () => {
  const recording = new Recording("move-tasks", "test_destination_needs_to_exist");
  const { dead } = await deadLetters(0);
  await recording.expect("error", start(dead.arn, `${dead.arn}doesntexist`));
});

test("test_cancel_with_invalid_source_arn_in_task_handle", async () => {
  const recording = new Recording("move-tasks", "test_cancel_with_invalid_source_arn_in_task_handle");
  const sourceArn = `arn:aws:sqs:${REGION}:878966065785:test-queue-doesnt-exist-123456`;
  const handle = { taskId: "10f57157-fc38-4da9-a113-4de7e12d05dd", sourceArn };
  const TaskHandle = Buffer.from(JSON.stringify(handle)).toString("base64");
  await recording.expect("error", sqs.call("CancelMessageMoveTask", { TaskHandle }));
});
