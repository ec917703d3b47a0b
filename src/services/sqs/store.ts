import { formatArn, parseArn } from "#core/arn";
import type { Document, DocumentKey, Documents, QueueName } from "#storage/documents";
import type { CallContext } from "#wire/operation";
import type { StoredAttributes } from "./attributes.ts";
import { sqsErrors } from "./errors.ts";
import { parseQueueUrl, type QueueAddress } from "./queue-url.ts";

export interface QueueDocument {
  readonly name: string;
  /** 16 hexadecimal digits: another queue of the same name has another one. */
  readonly id: string;
  readonly fifo: boolean;
  /** Epoch milliseconds. */
  readonly created: number;
  readonly modified: number;
  /** Those that were set; others have their defaults. */
  readonly attributes: StoredAttributes;
  readonly tags: Readonly<Record<string, string>>;
  /** Epoch milliseconds of the last PurgeQueue. */
  readonly purged?: number;
}

/** A queue that was found, and where. */
export interface FoundQueue extends QueueAddress {
  readonly region: string;
  readonly document: Document<QueueDocument>;
  readonly settings: QueueDocument;
  /** Its messages' queue in storage. */
  readonly messages: QueueName;
  readonly arn: string;
}

export interface Place {
  readonly account: string;
  readonly region: string;
}

export const keys = {
  queue: ({ account, region }: Place, name: string): DocumentKey => [account, region, "sqs-queue", name],
  /** Under a dead letter queue: the queues whose redrive policy names it. */
  source: ({ account, region }: Place, deadLetterQueue: string, source: string): DocumentKey => [
    account,
    region,
    "sqs-source",
    deadLetterQueue,
    source,
  ],
  /** Under the queue that messages are moved from, in the order of their starts. */
  moveTask: ({ account, region }: Place, source: string, started: number, id: string): DocumentKey => [
    account,
    region,
    "sqs-move-task",
    source,
    started,
    id,
  ],
} as const;

export function queueArn({ account, region }: Place, name: string): string {
  return formatArn("sqs", region, account, name);
}

export function findQueue(documents: Documents, place: Place, name: string): FoundQueue | undefined {
  const document = documents.get<QueueDocument>(keys.queue(place, name));
  if (document === undefined) return undefined;
  const { account, region } = place;
  return {
    account,
    region,
    name,
    document,
    settings: document.value,
    messages: [account, region, "sqs", name, document.value.id],
    arn: queueArn(place, name),
  };
}

/** @throws AwsError QueueDoesNotExist, InvalidAddress */
export function requireQueue(
  documents: Documents,
  call: Pick<CallContext, "region" | "account">,
  url: string | undefined,
): FoundQueue {
  const address = parseQueueUrl(url ?? "");
  if (address === undefined) {
    if (/^https?:\/\//.test(url ?? "")) throw sqsErrors.queueMissing();
    // Old clients give the bare name where the URL belongs, and AWS takes it.
    const named = findQueue(documents, call, url ?? "");
    if (named === undefined) throw sqsErrors.invalidAddress(url ?? "");
    return named;
  }
  const found = findQueue(documents, { account: address.account, region: call.region }, address.name);
  if (found === undefined) throw sqsErrors.queueMissing();
  return found;
}

/**
 * A queue of the caller's own account: other accounts cannot be given leave to manage it (developer guide, "Limitations of
 * Amazon SQS custom policies").
 * @throws AwsError QueueDoesNotExist, InvalidAddress, AccessDenied
 */
export function requireOwnQueue(
  documents: Documents,
  call: Pick<CallContext, "region" | "account">,
  url: string | undefined,
): FoundQueue {
  const queue = requireQueue(documents, call, url);
  if (queue.account !== call.account) throw sqsErrors.accessDenied(url ?? "");
  return queue;
}

/** The queue of an ARN, of this region's queues. */
export function findByArn(documents: Documents, region: string, arn: string): FoundQueue | undefined {
  const parsed = parseArn(arn);
  if (parsed?.service !== "sqs" || parsed.region !== region) return undefined;
  return findQueue(documents, parsed, parsed.resource);
}
