import type { MessageAttributeValue } from "@aws-sdk/client-sns";
import { type PreparedEvent, prepareEvent } from "#patterns/event/event";
import { snsErrors } from "../errors.ts";

/** A message attribute; a binary value is base64. */
export interface MessageAttribute {
  readonly type: string;
  readonly value: string;
}

export type MessageAttributes = Readonly<Record<string, MessageAttribute>>;

const TYPE = /^(?:String|Number|Binary)(?:\..+)?$/u;

/**
 * Checks message attributes.
 * @throws AwsError ParameterValueInvalid (recorded: test_empty_or_wrong_message_attributes)
 */
export function requireMessageAttributes(
  given: Readonly<Record<string, MessageAttributeValue>> | undefined,
): MessageAttributes {
  const entries = Object.entries(given ?? {}).map(([name, value]) => {
    requireName(name);
    return [name, requireValue(name, value)] as const;
  });
  return Object.fromEntries(entries);
}

function requireName(name: string): void {
  if (Buffer.byteLength(name) > 256)
    throw snsErrors.attributeValue("Length of message attribute name must be less than 256 bytes.");
  const [odd] = /[^\w.-]/u.exec(name) ?? [];
  if (odd !== undefined)
    throw snsErrors.attributeValue(
      `Invalid non-alphanumeric character '#x${(odd.codePointAt(0) ?? 0).toString(16).toUpperCase()}' was found in the message attribute name. ` +
        "Can only include alphanumeric characters, hyphens, underscores, or dots.",
    );
  if (name.startsWith("."))
    throw snsErrors.attributeValue("Invalid message attribute name starting with character '.' was found.");
  if (name.endsWith("."))
    throw snsErrors.attributeValue("Invalid message attribute name ending with character '.' was found.");
  if (name.includes(".."))
    throw snsErrors.attributeValue("Message attribute name can not have successive '.' character.");
}

function requireValue(name: string, attribute: MessageAttributeValue): MessageAttribute {
  const { DataType: type = "", StringValue: text, BinaryValue: bytes } = attribute;
  if (!TYPE.test(type))
    throw snsErrors.attributeValue(
      `The message attribute '${name}' has an invalid message attribute type, the set of supported type prefixes is Binary, Number, and String.`,
    );
  const binary = type.startsWith("Binary");
  const [value, other] = binary ? [bytes, text] : [text, bytes];
  if (value === undefined && other !== undefined)
    throw snsErrors.attributeValue(
      `The message attribute '${name}' with type '${type}' must use field '${binary ? "Binary" : "String"}'.`,
    );
  if (value === undefined || value.length === 0)
    throw snsErrors.attributeValue(
      `The message attribute '${name}' must contain non-empty message attribute value for message attribute type '${type}'.`,
    );
  if (typeof value !== "string") return { type, value: Buffer.from(value).toString("base64") };
  if (type.startsWith("Number") && !isNumber(value))
    throw snsErrors.attributeValue(`Could not cast message attribute '${name}' value to number.`);
  return { type, value };
}

function isNumber(text: string): boolean {
  return /^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/iu.test(text.trim());
}

/** Bytes that attributes count for in a message's size: names, types and values. */
export function sizeOf(attributes: MessageAttributes): number {
  let bytes = 0;
  for (const [name, { type, value }] of Object.entries(attributes))
    bytes +=
      Buffer.byteLength(name) +
      Buffer.byteLength(type) +
      (type.startsWith("Binary") ? Buffer.byteLength(value, "base64") : Buffer.byteLength(value));
  return bytes;
}

/** Attributes as filter policies read them: binary ones are not there, arrays are their elements. */
export function filterable(attributes: MessageAttributes): PreparedEvent {
  const members = Object.entries(attributes).flatMap(([name, { type, value }]) => {
    if (type.startsWith("Binary")) return [];
    if (type.startsWith("Number")) return [[name, Number(value)] as const];
    return [[name, type === "String.Array" ? elementsOf(value) : value] as const];
  });
  return prepareEvent(Object.fromEntries(members));
}

/** A String.Array that is no JSON array of strings, numbers, booleans and nulls is compared as the text that it is. */
function elementsOf(text: string): unknown {
  try {
    const value: unknown = JSON.parse(text);
    const plain = Array.isArray(value) && value.every((one) => one === null || typeof one !== "object");
    return plain ? value : text;
  } catch {
    return text;
  }
}
