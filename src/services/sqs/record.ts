import { createHash } from "node:crypto";
import type { StoredMessageAttributes } from "./message-attributes.ts";

/** What is stored of a message beside its body. */
export interface MessageHeader {
  readonly md5: string;
  readonly sender: string;
  readonly attributes?: StoredMessageAttributes;
  readonly traceHeader?: string;
  readonly group?: string;
  readonly deduplicationId?: string;
  /** What a message keeps that has moved to a dead letter queue. */
  readonly moved?: {
    readonly id: string;
    /** The queue that it was sent to. */
    readonly sourceArn: string;
    readonly receives: number;
    readonly firstReceived: number;
  };
}

export interface MessageRecord {
  readonly header: MessageHeader;
  readonly body: string;
}

/** A message as the storage's queue keeps it: the header's length, the header as JSON, the body, all in UTF-8. */
export function encodeRecord({ header, body }: MessageRecord): Buffer {
  const head = Buffer.from(JSON.stringify(header));
  const length = Buffer.allocUnsafe(4);
  length.writeUInt32BE(head.length);
  return Buffer.concat([length, head, Buffer.from(body)]);
}

export function decodeRecord(stored: Uint8Array): MessageRecord {
  const bytes = Buffer.from(stored.buffer, stored.byteOffset, stored.byteLength);
  const end = 4 + bytes.readUInt32BE(0);
  return {
    header: JSON.parse(bytes.toString("utf8", 4, end)) as MessageHeader,
    body: bytes.toString("utf8", end),
  };
}

/** A message's UUID, from its queue's id and its own in storage, so that it need not be stored. */
export function messageUuid(queueId: string, storageId: string): string {
  const hex = createHash("md5")
    .update(queueId + storageId)
    .digest("hex");
  const variant = "89ab".charAt(Number.parseInt(hex.charAt(16), 16) & 3);
  return [
    hex.slice(0, 8),
    hex.slice(8, 12),
    `4${hex.slice(13, 16)}`,
    variant + hex.slice(17, 20),
    hex.slice(20),
  ].join("-");
}

/** Twenty digits that grow with every message of a FIFO queue, as AWS's do. */
export function sequenceNumber(storageId: string): string {
  return `18${BigInt(`0x${storageId}`).toString().padStart(18, "0")}`;
}
