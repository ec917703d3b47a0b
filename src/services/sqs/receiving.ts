import type { Message } from "@aws-sdk/client-sqs";
import type { LeasedMessage } from "#storage/queue";
import type { SqsDeps } from "./deps.ts";
import { attributesMd5, describeAttribute, selectAttributes } from "./message-attributes.ts";
import { writeReceiptHandle } from "./receipt-handle.ts";
import { decodeRecord, encodeRecord, messageUuid, sequenceNumber, type MessageRecord } from "./record.ts";
import { redrivePolicyOf } from "./redrive-policy.ts";
import { oldestKept } from "./retention.ts";
import { findByArn, type FoundQueue } from "./store.ts";

/** A message that was received, with what is stored of it. */
export interface Received {
  readonly leased: LeasedMessage;
  readonly record: MessageRecord;
}

/**
 * Leases up to `max` messages that a consumer is to see. What is too old is removed, and what has been received too
 * often moves to the dead letter queue: each in one commit, so that a crash neither loses nor doubles it.
 */
export async function receive(
  deps: Pick<SqsDeps, "documents" | "queue" | "clock">,
  queue: FoundQueue,
  max: number,
  leaseMs: number,
): Promise<readonly Received[]> {
  const { attributes } = queue.settings;
  const oldest = oldestKept(queue, deps.clock.now());
  const policy = redrivePolicyOf(attributes["RedrivePolicy"]);
  const deadLetters = policy && findByArn(deps.documents, queue.region, policy.deadLetterTargetArn);
  const received: Received[] = [];
  for (;;) {
    const asked = max - received.length;
    const leased = await deps.queue.receive(queue.messages, asked, leaseMs);
    const leaving: Promise<unknown>[] = [];
    for (const message of leased) {
      if (message.sentAt < oldest) leaving.push(deps.queue.ack(queue.messages, message.id, undefined));
      else if (
        policy !== undefined &&
        deadLetters !== undefined &&
        message.receiveCount > policy.maxReceiveCount
      )
        leaving.push(bury(deps, queue, deadLetters, message));
      else received.push({ leased: message, record: decodeRecord(message.body) });
    }
    await Promise.all(leaving);
    if (leaving.length === 0 || leased.length < asked) return received;
    // What nothing hides could be received twice.
    if (leaseMs === 0 && received.length > 0) return received;
  }
}

/**
 * Moves a message to the dead letter queue. It keeps its id, and in a standard queue its age (developer guide,
 * "Using dead-letter queues": the expiration is based on the original enqueue timestamp, which a FIFO queue resets).
 */
async function bury(
  { queue: queues }: Pick<SqsDeps, "queue">,
  queue: FoundQueue,
  target: FoundQueue,
  message: LeasedMessage,
): Promise<void> {
  const { header, body } = decodeRecord(message.body);
  const before = header.moved;
  const moved = {
    id: before?.id ?? messageUuid(queue.settings.id, message.id),
    sourceArn: queue.arn,
    // This receive was none: the consumer never saw it.
    receives: (before?.receives ?? 0) + message.receiveCount - 1,
    firstReceived: before?.firstReceived ?? message.firstReceivedAt,
  };
  // Without the lease, which has ended already where the visibility timeout is 0.
  await queues.move(queue.messages, message.id, undefined, {
    queue: target.messages,
    body: encodeRecord({ header: { ...header, moved }, body }),
    ...(target.settings.fifo ? { group: header.group ?? "" } : { sentAt: message.sentAt }),
  });
}

/** Which attributes a consumer asked for. */
export interface Wanted {
  readonly system: readonly string[];
  readonly own: readonly string[];
}

export function describeMessage(queue: FoundQueue, { leased, record }: Received, wanted: Wanted): Message {
  const { header, body } = record;
  const attributes = selectAttributes(header.attributes ?? {}, wanted.own);
  const digest = attributesMd5(attributes);
  const system = describeSystem(queue, leased, record, wanted.system);
  return {
    MessageId: header.moved?.id ?? messageUuid(queue.settings.id, leased.id),
    ReceiptHandle: writeReceiptHandle({
      queueId: queue.settings.id,
      messageId: leased.id,
      lease: leased.lease,
    }),
    MD5OfBody: header.md5,
    Body: body,
    ...(system === undefined ? {} : { Attributes: system }),
    ...(digest === undefined
      ? {}
      : {
          MD5OfMessageAttributes: digest,
          MessageAttributes: Object.fromEntries(
            Object.entries(attributes).map(([name, value]) => [name, describeAttribute(value)]),
          ),
        }),
  };
}

function describeSystem(
  queue: FoundQueue,
  leased: LeasedMessage,
  { header }: MessageRecord,
  wanted: readonly string[],
): Record<string, string> | undefined {
  if (wanted.length === 0) return undefined;
  const { moved } = header;
  const all: Record<string, string | undefined> = {
    SenderId: header.sender,
    SentTimestamp: String(leased.sentAt),
    ApproximateReceiveCount: String(leased.receiveCount + (moved?.receives ?? 0)),
    ApproximateFirstReceiveTimestamp: String(moved?.firstReceived ?? leased.firstReceivedAt),
    SequenceNumber: queue.settings.fifo ? sequenceNumber(leased.id) : undefined,
    MessageDeduplicationId: header.deduplicationId,
    MessageGroupId: header.group,
    AWSTraceHeader: header.traceHeader,
    DeadLetterQueueSourceArn: moved?.sourceArn,
  };
  const everything = wanted.includes("All");
  const chosen: Record<string, string> = {};
  for (const [name, value] of Object.entries(all))
    if (value !== undefined && (everything || wanted.includes(name))) chosen[name] = value;
  return Object.keys(chosen).length === 0 ? undefined : chosen;
}
