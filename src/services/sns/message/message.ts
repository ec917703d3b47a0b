import type { Protocol } from "../store.ts";
import type { TopicName } from "../arns.ts";
import type { MessageAttributes } from "./attributes.ts";

/** A message that was accepted, as it is kept until everyone has it. */
export interface PublishedMessage extends TopicName {
  readonly topicId: string;
  readonly id: string;
  /** As it was published: for `structured`, JSON with a text for each protocol. */
  readonly text: string;
  readonly structured: boolean;
  readonly subject?: string;
  readonly attributes: MessageAttributes;
  /** Epoch milliseconds. */
  readonly publishedAt: number;
  readonly groupId?: string;
  /** Of FIFO topics. */
  readonly deduplicationId?: string;
  readonly sequence?: number;
  /** X-Amzn-Trace-Id of the call that published it. */
  readonly traceHeader?: string;
}

export function encodeMessage(message: PublishedMessage): Uint8Array {
  return Buffer.from(JSON.stringify(message));
}

export function decodeMessage(bytes: Uint8Array): PublishedMessage {
  return JSON.parse(Buffer.from(bytes).toString()) as PublishedMessage;
}

/** The text that goes to endpoints of a protocol (developer guide, "Publishing with platform-specific payloads"). */
export function textFor(
  { text, structured }: PublishedMessage,
  protocol: Protocol,
  platform?: string,
): string {
  if (!structured) return text;
  const texts = JSON.parse(text) as Readonly<Record<string, unknown>>;
  const chosen = texts[platform ?? protocol] ?? texts["default"];
  return typeof chosen === "string" ? chosen : "";
}

/** Twenty digits that grow with each message of a FIFO topic. */
export function sequenceNumber(sequence: number): string {
  return `1${String(sequence * 1000).padStart(19, "0")}`;
}
