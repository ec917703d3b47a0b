import { createHash } from "node:crypto";
import type { MessageAttributeValue } from "@aws-sdk/client-sqs";
import { sqsErrors } from "./errors.ts";
import { LIMITS } from "./limits.ts";

/** A message attribute in storage: its type, and its value as text, in base64 where the type is binary. */
export type StoredAttribute = readonly [type: string, value: string];
export type StoredMessageAttributes = Readonly<Record<string, StoredAttribute>>;

type Given = Readonly<Record<string, MessageAttributeValue>>;

/** Letters of any script (AWS takes `attr.1øßä`). */
const NAME = /^[\p{L}\p{N}_.-]+$/u;

/**
 * Checks message attributes as they were sent.
 * @throws AwsError InvalidParameterValue
 */
export function readMessageAttributes(given: Given | undefined): StoredMessageAttributes {
  const entries = Object.entries(given ?? {});
  if (entries.length > LIMITS.messageAttributes)
    throw sqsErrors.parameter(
      `Number of message attributes [${entries.length}] exceeds the allowed maximum [${LIMITS.messageAttributes}].`,
    );
  return Object.fromEntries(
    entries.map(([name, value]) => {
      checkName(name);
      return [name, readValue(name, value)] as const;
    }),
  );
}

function checkName(name: string): void {
  if (name.length > LIMITS.attributeName)
    throw sqsErrors.parameter(
      `Message (user) attribute name must be shorter than ${LIMITS.attributeName} Bytes`,
    );
  if (!NAME.test(name) || /^\.|\.$|\.\./.test(name))
    throw sqsErrors.parameter(
      `The message (user) attribute name '${name}' is invalid. Attribute name can contain A-Z, a-z, 0-9, underscore (_), hyphen (-), and period (.) characters.`,
    );
  if (/^(?:aws|amazon)\./i.test(name))
    throw sqsErrors.parameter(
      "You can't use message attribute names beginning with 'AWS.' or 'Amazon.'. These strings are reserved for internal use.",
    );
}

export function readValue(name: string, value: MessageAttributeValue): StoredAttribute {
  const type = value.DataType ?? "";
  if (type === "")
    throw sqsErrors.parameter(
      `The message (user) attribute '${name}' must contain a non-empty message attribute type.`,
    );
  const kind = /^(String|Number|Binary)(?:\..*)?$/s.exec(type)?.[1];
  if (kind === undefined || type.length > LIMITS.attributeName)
    throw sqsErrors.parameter(
      `The message (user) attribute '${name}' has an invalid message attribute type, the set of supported type prefixes is Binary, Number, and String.`,
    );
  const bytes = value.BinaryValue;
  const text = kind === "Binary" ? bytes && Buffer.from(bytes).toString("base64") : value.StringValue;
  if (text === undefined || text === "")
    throw sqsErrors.parameter(
      `Message (user) attribute '${name}' must contain a non-empty value of type '${kind}'.`,
    );
  if (kind === "Number" && !/^\s*[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?\s*$/.test(text))
    throw sqsErrors.parameter(`Could not cast message (user) attribute '${name}' value to number.`);
  if (kind !== "Binary" && !hasOnlyXmlCharacters(text)) throw sqsErrors.attributeCharacters(name);
  return [type, text];
}

/** Whether text consists of characters that XML 1.0 has, which is all that SQS carries. */
export function hasOnlyXmlCharacters(text: string): boolean {
  // eslint-disable-next-line no-control-regex -- these are the characters to be found
  return !/[\u0000-\u0008\u000B\u000C\u000E-\u001F\uFFFE\uFFFF]/.test(text) && text.isWellFormed();
}

export function describeAttribute([type, value]: StoredAttribute): MessageAttributeValue {
  return isBinary(type)
    ? { BinaryValue: Buffer.from(value, "base64"), DataType: type }
    : { StringValue: value, DataType: type };
}

/** What attributes count for towards a message's size: names, types and values in bytes. */
export function attributeBytes(attributes: StoredMessageAttributes): number {
  let bytes = 0;
  for (const [name, [type, value]] of Object.entries(attributes))
    bytes += Buffer.byteLength(name) + Buffer.byteLength(type) + valueBytes(type, value).length;
  return bytes;
}

/** Those of a message's attributes that `wanted` names: by name, by `prefix.*`, or `All` and `.*`. */
export function selectAttributes(
  attributes: StoredMessageAttributes,
  wanted: readonly string[],
): StoredMessageAttributes {
  if (wanted.length === 0) return {};
  if (wanted.includes("All") || wanted.includes(".*")) return attributes;
  const chosen = Object.entries(attributes).filter(([name]) =>
    wanted.some((want) => (want.endsWith(".*") ? name.startsWith(want.slice(0, -2)) : name === want)),
  );
  return Object.fromEntries(chosen);
}

/**
 * MD5OfMessageAttributes, which SDKs compute too (developer guide, "Calculating the MD5 message digest for message
 * attributes"). `undefined` where there are none.
 */
export function attributesMd5(attributes: StoredMessageAttributes): string | undefined {
  const entries = Object.entries(attributes);
  if (entries.length === 0) return undefined;
  const hash = createHash("md5");
  const part = (bytes: Buffer): void => {
    const length = Buffer.allocUnsafe(4);
    length.writeUInt32BE(bytes.length);
    hash.update(length).update(bytes);
  };
  for (const [name, [type, value]] of entries.toSorted(([a], [b]) => (a < b ? -1 : 1))) {
    part(Buffer.from(name));
    part(Buffer.from(type));
    hash.update(Buffer.from([isBinary(type) ? 2 : 1]));
    part(valueBytes(type, value));
  }
  return hash.digest("hex");
}

export function md5(text: string): string {
  return createHash("md5").update(text).digest("hex");
}

function valueBytes(type: string, value: string): Buffer {
  return Buffer.from(value, isBinary(type) ? "base64" : "utf8");
}

function isBinary(type: string): boolean {
  return type.startsWith("Binary");
}
