import { afterEach, beforeEach, expect, it } from "vitest";
import { createSqsFixture, type SqsFixture } from "../../../test/support/sqs-service.ts";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

let sqs: SqsFixture;
beforeEach(async () => {
  sqs = await createSqsFixture();
});
afterEach(async () => {
  expect(sqs.problems).toEqual([]);
  await sqs.close();
});

/** What was reported since it was last asked, by queue: values of the four gauges, minute by minute. */
function reported(): Record<string, Record<string, readonly number[]>> {
  const found: Record<string, Record<string, readonly number[]>> = {};
  for (const { address, minutes } of sqs.metrics.drain())
    if (address.name.startsWith("Approximate")) {
      const queue = (found[address.dimensions["QueueName"] ?? ""] ??= {});
      queue[address.name.replace(/^Approximate(?:NumberOfMessages)?/, "")] = minutes.map(
        ({ summary }) => summary.sum,
      );
    }
  return found;
}

it("reports how full queues are, each minute", async () => {
  const { url: QueueUrl } = await sqs.create("q");
  await sqs.call("SendMessage", { QueueUrl, MessageBody: "visible" });
  await sqs.call("SendMessage", { QueueUrl, MessageBody: "delayed", DelaySeconds: 90 });
  await sqs.call("SendMessage", { QueueUrl, MessageBody: "leased" });
  await sqs.call("ReceiveMessage", { QueueUrl, VisibilityTimeout: 90 });
  sqs.clock.advance(2 * MINUTE);
  expect(reported()).toEqual({
    q: { Visible: [1, 3], NotVisible: [1, 0], Delayed: [1, 0], AgeOfOldestMessage: [60, 120] },
  });
});

it("stops six hours after a queue's last use, and begins again with the next", async () => {
  const [{ url: QueueUrl }, full] = [await sqs.create("q"), await sqs.create("full")];
  await sqs.call("SendMessage", { QueueUrl: full.url, MessageBody: "x" });
  sqs.clock.advance(6 * HOUR);
  expect(Object.keys(reported()).toSorted()).toEqual(["full", "q"]);
  sqs.clock.advance(10 * MINUTE);
  expect(Object.keys(reported())).toEqual(["full"]);
  await sqs.call("ListQueueTags", { QueueUrl });
  sqs.clock.advance(MINUTE);
  expect(Object.keys(reported()).toSorted()).toEqual(["full", "q"]);
  await sqs.call("DeleteQueue", { QueueUrl });
  sqs.clock.advance(MINUTE);
  expect(Object.keys(reported())).toEqual(["full"]);
});

it("looks at many queues little by little, at each once a minute", async () => {
  for (let n = 0; n < 50; n++) await sqs.create(`q${n}`);
  sqs.clock.advance(MINUTE);
  expect(Object.keys(reported())).toHaveLength(20);
  sqs.clock.advance(2000);
  expect(Object.keys(reported())).toHaveLength(30);
  sqs.clock.advance(MINUTE - 2001);
  expect(reported()).toEqual({});
  sqs.clock.advance(2001);
  expect(Object.keys(reported())).toHaveLength(50);
});
