import { mkdtemp, rm } from "node:fs/promises";
import { once } from "node:events";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  CreateQueueCommand,
  DeleteMessageBatchCommand,
  ReceiveMessageCommand,
  SendMessageBatchCommand,
  SQSClient,
} from "@aws-sdk/client-sqs";
import { expect, it } from "vitest";
import { clientFor, startPlatform } from "../support/platform.ts";

const FIFO = { FifoQueue: "true", ContentBasedDeduplication: "true" };
const SENDERS = 4;

/** The messages of one sender, in their order; each sender is a group of its own. */
const batch = (sender: number, first: number) =>
  Array.from({ length: 10 }, (_, index) => ({
    Id: String(index),
    MessageBody: `${sender} ${first + index}`,
    MessageGroupId: `sender-${sender}`,
  }));

async function drain(client: SQSClient, QueueUrl: string): Promise<string[]> {
  const bodies: string[] = [];
  for (;;) {
    const { Messages = [] } = await client.send(
      new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 10 }),
    );
    if (Messages.length === 0) return bodies;
    bodies.push(...Messages.map(({ Body = "" }) => Body));
    const Entries = Messages.map(({ ReceiptHandle }, index) => ({ Id: String(index), ReceiptHandle }));
    await client.send(new DeleteMessageBatchCommand({ QueueUrl, Entries }));
  }
}

it("a kill loses no message that was accepted, nor the order and the singleness of a FIFO queue", async () => {
  const folder = await mkdtemp(join(tmpdir(), "thaw-queues-"));
  const first = await startPlatform(["--data", folder]);
  const before = new SQSClient(clientFor(first.url));
  for (const [QueueName, Attributes] of [
    ["standard", {}],
    ["ordered.fifo", FIFO],
  ] as const)
    await before.send(new CreateQueueCommand({ QueueName, Attributes }));

  const accepted = { standard: new Set<string>(), ordered: Array.from({ length: SENDERS }, () => 0) };
  const ended = once(first.process, "exit");
  const sending = Array.from({ length: SENDERS }, async (_, sender) => {
    for (let next = 0; ; next += 10) {
      const Entries = batch(sender, next);
      const [plain] = await Promise.all([
        before.send(new SendMessageBatchCommand({ QueueUrl: `${first.url}/000000000000/standard`, Entries })),
        before.send(
          new SendMessageBatchCommand({ QueueUrl: `${first.url}/000000000000/ordered.fifo`, Entries }),
        ),
      ]);
      for (const { Id } of plain.Successful ?? [])
        accepted.standard.add(Entries[Number(Id)]?.MessageBody ?? "");
      accepted.ordered[sender] = next + 10;
      if (accepted.standard.size > 400) first.kill("SIGKILL");
    }
  });
  for (const { status } of await Promise.allSettled(sending)) expect(status).toBe("rejected");
  await ended;
  before.destroy();

  const second = await startPlatform(["--data", folder]);
  const after = new SQSClient(clientFor(second.url));
  const standard = new Set(await drain(after, `${second.url}/000000000000/standard`));
  expect([...accepted.standard].filter((body) => !standard.has(body))).toEqual([]);

  // What a sender was not answered it sends again, as any client does.
  const QueueUrl = `${second.url}/000000000000/ordered.fifo`;
  await Promise.all(
    accepted.ordered.map((next, sender) =>
      after.send(new SendMessageBatchCommand({ QueueUrl, Entries: batch(sender, next) })),
    ),
  );
  const ordered = await drain(after, QueueUrl);
  for (const [sender, next] of accepted.ordered.entries()) {
    const own = ordered.filter((body) => body.startsWith(`${sender} `));
    expect(own).toEqual(Array.from({ length: next + 10 }, (_, index) => `${sender} ${index}`));
  }
  after.destroy();
  expect(await second.stop()).toBe(0);
  await rm(folder, { recursive: true });
}, 60_000);
