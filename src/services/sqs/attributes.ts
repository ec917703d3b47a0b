import { sqsErrors } from "./errors.ts";
import { checkRedriveAllowPolicy, normaliseRedrivePolicy } from "./redrive-policy.ts";

/** Attributes that a client may set, as it set them. */
export type StoredAttributes = Readonly<Record<string, string>>;

interface NumberRule {
  readonly least: number;
  readonly most: number;
  readonly default: number;
}

/** API reference, SetQueueAttributes; the largest message has been 1 MiB since August 2025 (recorded). */
const NUMBERS: Readonly<Record<string, NumberRule>> = {
  DelaySeconds: { least: 0, most: 900, default: 0 },
  MaximumMessageSize: { least: 1024, most: 1_048_576, default: 1_048_576 },
  MessageRetentionPeriod: { least: 60, most: 1_209_600, default: 345_600 },
  ReceiveMessageWaitTimeSeconds: { least: 0, most: 20, default: 0 },
  VisibilityTimeout: { least: 0, most: 43_200, default: 30 },
  KmsDataKeyReusePeriodSeconds: { least: 60, most: 86_400, default: 300 },
};

export type NumberAttribute =
  | "DelaySeconds"
  | "MaximumMessageSize"
  | "MessageRetentionPeriod"
  | "ReceiveMessageWaitTimeSeconds"
  | "VisibilityTimeout"
  | "KmsDataKeyReusePeriodSeconds";

const FIFO_DEFAULTS = {
  FifoQueue: "true",
  ContentBasedDeduplication: "false",
  DeduplicationScope: "queue",
  FifoThroughputLimit: "perQueue",
} as const;

const BOOLEANS = new Set(["SqsManagedSseEnabled", "ContentBasedDeduplication", "FifoQueue"]);

const CHOICES: Readonly<Record<string, readonly string[]>> = {
  DeduplicationScope: ["messageGroup", "queue"],
  FifoThroughputLimit: ["perQueue", "perMessageGroupId"],
};

/** Attributes whose empty value means that there is none. */
const TEXTS = new Set(["Policy", "RedrivePolicy", "RedriveAllowPolicy", "KmsMasterKeyId"]);

const READ_ONLY = new Set([
  "ApproximateNumberOfMessages",
  "ApproximateNumberOfMessagesNotVisible",
  "ApproximateNumberOfMessagesDelayed",
  "CreatedTimestamp",
  "LastModifiedTimestamp",
  "QueueArn",
]);

/** In the order in which they are told. */
export const SETTABLE: readonly string[] = [
  ...Object.keys(NUMBERS),
  ...TEXTS,
  "SqsManagedSseEnabled",
  ...Object.keys(FIFO_DEFAULTS),
];

export function isAttribute(name: string): boolean {
  return READ_ONLY.has(name) || SETTABLE.includes(name);
}

export function numberOf(attributes: StoredAttributes, name: NumberAttribute): number {
  const stored = attributes[name];
  return stored === undefined ? (NUMBERS[name]?.default ?? 0) : Number(stored);
}

/** The value that GetQueueAttributes tells; `undefined` for what is not told unless it is set. */
export function valueOf(attributes: StoredAttributes, fifo: boolean, name: string): string | undefined {
  const stored = attributes[name];
  if (name === "KmsDataKeyReusePeriodSeconds" && attributes["KmsMasterKeyId"] === undefined) return undefined;
  if (stored !== undefined) return stored;
  const rule = NUMBERS[name];
  if (rule !== undefined) return String(rule.default);
  // Encrypted by keys of SQS's own unless another way was chosen.
  if (name === "SqsManagedSseEnabled") return attributes["KmsMasterKeyId"] === undefined ? "true" : "false";
  return fifo && name in FIFO_DEFAULTS ? FIFO_DEFAULTS[name as keyof typeof FIFO_DEFAULTS] : undefined;
}

/**
 * What is stored after `given` was set over `current`: checked, policies in AWS's own form, an empty value being a
 * return to the default.
 * @throws AwsError InvalidAttributeName, InvalidAttributeValue, InvalidParameterValue
 */
export function applyAttributes(
  current: StoredAttributes,
  given: Readonly<Record<string, string | undefined>>,
  fifo: boolean,
): StoredAttributes {
  const next: Record<string, string> = { ...current };
  for (const [name, value = ""] of Object.entries(given)) {
    const parsed = parse(name, value, fifo);
    if (parsed === undefined) delete next[name];
    else next[name] = parsed;
  }
  chooseEncryption(next, given);
  checkThroughput(next, fifo);
  return next;
}

function parse(name: string, value: string, fifo: boolean): string | undefined {
  if (READ_ONLY.has(name)) throw sqsErrors.unknownAttribute(name);
  if (name in FIFO_DEFAULTS && !fifo) throw fifoOnly(name);
  const rule = NUMBERS[name];
  if (rule !== undefined) {
    if (value === "") return undefined;
    const number = /^\s*\+?\d{1,9}\s*$/.test(value) ? Number(value) : Number.NaN;
    if (!(number >= rule.least && number <= rule.most)) throw sqsErrors.attributeValue(name);
    return String(number);
  }
  if (BOOLEANS.has(name)) {
    if (value === "") return undefined;
    const text = value.toLowerCase();
    if (text !== "true" && text !== "false") throw sqsErrors.attributeValue(name);
    return text;
  }
  const choices = CHOICES[name];
  if (choices !== undefined) {
    if (!choices.includes(value)) throw sqsErrors.attributeValue(name);
    return value;
  }
  if (!TEXTS.has(name)) throw sqsErrors.unknownAttribute(name);
  if (value === "") return undefined;
  if (name === "RedrivePolicy") return normaliseRedrivePolicy(value);
  if (name === "RedriveAllowPolicy") return checkRedriveAllowPolicy(value);
  if (name === "Policy" && !isPolicy(value)) throw sqsErrors.attributeValue(name);
  return value;
}

/** Recorded: two ways of saying the same of attributes that only FIFO queues have. */
function fifoOnly(name: string): Error {
  return name === "DeduplicationScope" || name === "FifoThroughputLimit"
    ? sqsErrors.attributeName(`You can specify the ${name} only when FifoQueue is set to true.`)
    : sqsErrors.unknownAttribute(name);
}

function isPolicy(text: string): boolean {
  try {
    const policy: unknown = JSON.parse(text);
    return typeof policy === "object" && policy !== null && "Statement" in policy;
  } catch {
    return false;
  }
}

/** Recorded: a key of KMS ends the encryption by SQS's own keys, and to ask for both is refused. */
function chooseEncryption(
  next: Record<string, string>,
  given: Readonly<Record<string, string | undefined>>,
): void {
  const kms = Boolean(given["KmsMasterKeyId"]);
  const managed = given["SqsManagedSseEnabled"]?.toLowerCase() === "true";
  if (kms && managed)
    throw sqsErrors.attributeName(
      "You can use one type of server-side encryption (SSE) at one time. You can either enable KMS SSE or SQS SSE.",
    );
  if (kms) next["SqsManagedSseEnabled"] = "false";
  if (managed) {
    delete next["KmsMasterKeyId"];
    delete next["KmsDataKeyReusePeriodSeconds"];
  }
}

/** Developer guide, "High throughput for FIFO queues": the limit counts by group only where deduplication does. */
function checkThroughput(next: StoredAttributes, fifo: boolean): void {
  if (!fifo || next["FifoThroughputLimit"] !== "perMessageGroupId") return;
  if (next["DeduplicationScope"] !== "messageGroup")
    throw sqsErrors.attributeValue(
      "FifoThroughputLimit",
      "The value perMessageGroupId is allowed only when DeduplicationScope is messageGroup.",
    );
}
