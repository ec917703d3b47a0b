import { createHash } from "node:crypto";
import type { SendMessageRequest } from "@aws-sdk/client-sqs";
import type { QueueAppend } from "#storage/documents";
import type { CallContext } from "#wire/operation";
import { numberOf, valueOf } from "./attributes.ts";
import { sqsErrors } from "./errors.ts";
import { LIMITS } from "./limits.ts";
import {
  attributeBytes,
  attributesMd5,
  hasOnlyXmlCharacters,
  md5,
  readMessageAttributes,
  readValue,
  type StoredMessageAttributes,
} from "./message-attributes.ts";
import { encodeRecord, type MessageHeader } from "./record.ts";
import type { FoundQueue } from "./store.ts";

/** A message to be sent, of SendMessage or of a batch. */
export type Outgoing = Omit<SendMessageRequest, "QueueUrl">;

/** A checked message: what is stored of it, and what its sender is answered. */
export interface Prepared {
  readonly append: QueueAppend;
  /** Body and attributes, as SQS counts them. */
  readonly bytes: number;
  readonly digests: {
    readonly MD5OfMessageBody: string;
    readonly MD5OfMessageAttributes?: string;
    readonly MD5OfMessageSystemAttributes?: string;
  };
}

/** Alphanumeric characters and punctuation. */
const TOKEN = /^[!-~]{1,128}$/;

/**
 * What a batch weighs, whatever is wrong with its entries otherwise.
 * @throws AwsError BatchRequestTooLong
 */
export function checkBatchSize(entries: readonly Outgoing[]): void {
  let bytes = 0;
  for (const { MessageBody = "", MessageAttributes = {} } of entries) {
    bytes += Buffer.byteLength(MessageBody);
    for (const [name, { DataType = "", StringValue, BinaryValue }] of Object.entries(MessageAttributes))
      bytes +=
        Buffer.byteLength(name) +
        Buffer.byteLength(DataType) +
        (BinaryValue?.byteLength ?? Buffer.byteLength(StringValue ?? ""));
  }
  if (bytes > LIMITS.messageBytes) throw sqsErrors.batchTooLong(bytes);
}

/** Checks what FIFO queues demand of a message; a batch is refused as a whole for it (recorded). */
export function checkFifo(queue: FoundQueue, { MessageGroupId, MessageDeduplicationId }: Outgoing): void {
  const { fifo, attributes } = queue.settings;
  if (!fifo) return;
  if (MessageGroupId === undefined || MessageGroupId === "") throw sqsErrors.missing("MessageGroupId");
  if (MessageDeduplicationId === undefined && attributes["ContentBasedDeduplication"] !== "true")
    throw sqsErrors.parameter(
      "The queue should either have ContentBasedDeduplication enabled or MessageDeduplicationId provided explicitly",
    );
}

/**
 * Checks a message and makes of it what is stored.
 * @throws AwsError InvalidParameterValue, MissingParameter, InvalidMessageContents
 */
export function prepare(queue: FoundQueue, message: Outgoing, call: CallContext): Prepared {
  const { fifo, attributes: settings } = queue.settings;
  const body = message.MessageBody ?? "";
  if (body === "") throw sqsErrors.missing("MessageBody");
  checkToken("MessageGroupId", message.MessageGroupId);
  checkToken("MessageDeduplicationId", message.MessageDeduplicationId);
  if (!fifo && message.MessageDeduplicationId !== undefined)
    throw wrongForQueue("MessageDeduplicationId", message.MessageDeduplicationId);
  const delay = delayOf(queue, message.DelaySeconds);
  const attributes = readMessageAttributes(message.MessageAttributes);
  const system = systemAttributeOf(message);
  // What the caller's own trace header says is kept too, but is no part of the digests.
  const traceHeader = system?.[1] ?? call.headers["x-amzn-trace-id"];
  const bytes = Buffer.byteLength(body) + attributeBytes(attributes);
  const limit = numberOf(settings, "MaximumMessageSize");
  if (bytes > limit) throw sqsErrors.tooLong(limit);
  if (!hasOnlyXmlCharacters(body)) throw sqsErrors.contents();
  const group = message.MessageGroupId;
  const deduplicationId = fifo ? (message.MessageDeduplicationId ?? sha256(body)) : undefined;
  const header: MessageHeader = {
    md5: md5(body),
    sender: call.principal.userId,
    ...(Object.keys(attributes).length === 0 ? {} : { attributes }),
    ...(traceHeader === undefined ? {} : { traceHeader }),
    ...(group === undefined ? {} : { group }),
    ...(deduplicationId === undefined ? {} : { deduplicationId }),
  };
  return {
    append: {
      queue: queue.messages,
      body: encodeRecord({ header, body }),
      ...(delay === 0 ? {} : { delayMs: delay * 1000 }),
      ...(fifo && group !== undefined ? { group } : {}),
      ...(deduplicationId === undefined
        ? {}
        : { once: { key: onceKey(queue, group, deduplicationId), forMs: LIMITS.deduplication * 1000 } }),
    },
    bytes,
    digests: digests(header.md5, attributes, system && { AWSTraceHeader: system }),
  };
}

function digests(
  bodyMd5: string,
  attributes: StoredMessageAttributes,
  system: StoredMessageAttributes | undefined,
): Prepared["digests"] {
  const [own, ofSystem] = [attributesMd5(attributes), system && attributesMd5(system)];
  return {
    MD5OfMessageBody: bodyMd5,
    ...(own === undefined ? {} : { MD5OfMessageAttributes: own }),
    ...(ofSystem === undefined ? {} : { MD5OfMessageSystemAttributes: ofSystem }),
  };
}

/** Within a group or within the queue, as DeduplicationScope says now; a purge forgets what was sent before. */
export function onceKey(queue: FoundQueue, group: string | undefined, deduplicationId: string): string {
  const scope = valueOf(queue.settings.attributes, true, "DeduplicationScope");
  const parts = [queue.settings.purged ?? 0, ...(scope === "messageGroup" ? [group] : []), deduplicationId];
  return parts.join("\n");
}

/** A FIFO queue's messages all wait as long as the queue says. */
function delayOf(queue: FoundQueue, given: number | undefined): number {
  const own = numberOf(queue.settings.attributes, "DelaySeconds");
  if (given === undefined) return own;
  if (queue.settings.fifo) {
    if (given !== 0) throw wrongForQueue("DelaySeconds", given);
    return own;
  }
  if (given < 0 || given > LIMITS.delay)
    throw sqsErrors.value(given, "DelaySeconds", `DelaySeconds must be >= 0 and <= ${LIMITS.delay}.`);
  return given;
}

export function wrongForQueue(parameter: string, value: unknown): Error {
  return sqsErrors.value(
    value,
    parameter,
    "The request include parameter that is not valid for this queue type.",
  );
}

export function checkToken(parameter: string, value: string | undefined): void {
  if (value !== undefined && !TOKEN.test(value))
    throw sqsErrors.value(
      value,
      parameter,
      `${parameter} can only include alphanumeric and punctuation characters. 1 to 128 in length.`,
    );
}

/** The one system attribute that a sender may give. Its size does not count towards the message's. */
function systemAttributeOf({ MessageSystemAttributes }: Outgoing): readonly [string, string] | undefined {
  for (const [name, value] of Object.entries(MessageSystemAttributes ?? {})) {
    if (name !== "AWSTraceHeader")
      throw sqsErrors.parameter(
        `Message system attribute name '${name}' is invalid. Only AWSTraceHeader is allowed.`,
      );
    const stored = readValue(name, value);
    if (stored[0] !== "String")
      throw sqsErrors.parameter("The message system attribute 'AWSTraceHeader' must be of type 'String'.");
    return stored;
  }
  return undefined;
}

function sha256(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}
