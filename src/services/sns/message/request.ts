import { createHash } from "node:crypto";
import type { MessageAttributeValue } from "@aws-sdk/client-sns";
import { isFifo } from "../arns.ts";
import { snsErrors } from "../errors.ts";
import { isMembers } from "../json.ts";
import { LIMITS } from "../limits.ts";
import type { TopicDocument } from "../store.ts";
import { type MessageAttributes, requireMessageAttributes, sizeOf } from "./attributes.ts";

/** What Publish, and each entry of PublishBatch, is given. */
export interface MessageRequest {
  readonly Message?: string | undefined;
  readonly Subject?: string | undefined;
  readonly MessageStructure?: string | undefined;
  readonly MessageAttributes?: Readonly<Record<string, MessageAttributeValue>> | undefined;
  readonly MessageGroupId?: string | undefined;
  readonly MessageDeduplicationId?: string | undefined;
}

/** The parts of a message that its publisher says. */
export interface MessageContent {
  readonly text: string;
  readonly structured: boolean;
  readonly subject?: string;
  readonly attributes: MessageAttributes;
}

/** Subjects are ASCII text on one line (API reference, Publish). */
const SUBJECT = /^[\x21-\x7e][\x20-\x7e]{0,99}$/u;

/** @throws AwsError InvalidParameter, ParameterValueInvalid */
export function requireContent(request: MessageRequest): MessageContent {
  const { Message: text = "", Subject: subject, MessageStructure: structure } = request;
  // Before anything reads it.
  if (Buffer.byteLength(text) > LIMITS.messageBytes) throw snsErrors.parameter("Message too long");
  const attributes = requireMessageAttributes(request.MessageAttributes);
  if (text === "") throw snsErrors.parameter("Empty message");
  if (subject !== undefined && !SUBJECT.test(subject)) throw snsErrors.parameter("Subject");
  if (structure !== undefined && structure !== "json") throw snsErrors.parameter("MessageStructure");
  if (structure === "json") requireTexts(text);
  return {
    text,
    structured: structure === "json",
    attributes,
    ...(subject === undefined ? {} : { subject }),
  };
}

/** Bytes that a message counts for. */
export function sizeOfContent({ text, attributes }: MessageContent): number {
  return Buffer.byteLength(text) + sizeOf(attributes);
}

export function requireSize(content: MessageContent): void {
  if (sizeOfContent(content) > LIMITS.messageBytes) throw snsErrors.parameter("Message too long");
}

function requireTexts(text: string): void {
  let texts: unknown;
  try {
    texts = JSON.parse(text);
  } catch {
    throw snsErrors.parameter("Message Structure - JSON message body failed to parse");
  }
  if (!isMembers(texts) || typeof texts["default"] !== "string")
    throw snsErrors.parameter("Message Structure - No default entry in JSON message body");
}

/** "1 to 128 alphanumeric characters and punctuation" (API reference, Publish). */
const FIFO_ID = /^[\x21-\x7e]{1,128}$/u;

/** How a message is ordered and told from its duplicates. */
export interface FifoIds {
  readonly groupId?: string;
  readonly deduplicationId?: string;
}

/** @throws AwsError InvalidParameter (recorded: test_publish_batch_exceptions) */
export function requireFifoIds(request: MessageRequest, topic: TopicDocument): FifoIds {
  const { MessageGroupId: groupId, MessageDeduplicationId: given, Message: text = "" } = request;
  for (const [name, id] of Object.entries({ MessageGroupId: groupId, MessageDeduplicationId: given }))
    if (id !== undefined && !FIFO_ID.test(id))
      throw snsErrors.parameter(
        name,
        `${name} can only include alphanumeric and punctuation characters. 1 to 128 in length.`,
      );
  if (!isFifo(topic.name)) {
    if (given !== undefined)
      throw snsErrors.parameter(
        "MessageDeduplicationId",
        "The request includes MessageDeduplicationId parameter that is not valid for this topic type",
      );
    return groupId === undefined ? {} : { groupId };
  }
  if (groupId === undefined)
    throw snsErrors.parameter("The MessageGroupId parameter is required for FIFO topics");
  if (given !== undefined) return { groupId, deduplicationId: given };
  if (topic.attributes["ContentBasedDeduplication"] !== "true")
    throw snsErrors.parameter(
      "The topic should either have ContentBasedDeduplication enabled or MessageDeduplicationId provided explicitly",
    );
  return { groupId, deduplicationId: createHash("sha256").update(text).digest("hex") };
}
