import { AwsError } from "#core/errors";
import { LIMITS } from "./limits.ts";

const CHARACTERS =
  "Invalid characters found. Valid unicode characters are #x9 | #xA | #xD | #x20 to #xD7FF | #xE000 to #xFFFD | #x10000 to #x10FFFF";

/** Errors of SQS as AWS words them. */
export const sqsErrors = {
  queueMissing: () => new AwsError("QueueDoesNotExist", "The specified queue does not exist."),
  queueExists: (attribute: string) =>
    new AwsError(
      "QueueNameExists",
      `A queue already exists with the same name and a different value for attribute ${attribute}`,
    ),
  invalidAddress: (url: string) =>
    new AwsError("InvalidAddress", `The address ${url} is not valid for this endpoint.`, { status: 404 }),
  queueName: () =>
    invalid("Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length"),
  fifoName: () =>
    invalid(
      "The name of a FIFO queue can only include alphanumeric characters, hyphens, or underscores, must end with .fifo suffix and be 1 to 80 in length.",
    ),

  /** `Value … for parameter … is invalid. Reason: …` */
  value: (value: unknown, parameter: string, reason: string) =>
    invalid(`Value ${shown(value)} for parameter ${parameter} is invalid. Reason: ${reason}`),
  parameter: (message: string) => invalid(message),
  missing: (parameter: string) =>
    new AwsError("MissingRequiredParameterException", `The request must contain the parameter ${parameter}.`),
  combination: (message: string) => new AwsError("InvalidParameterCombination", message),
  attributeName: (message: string) => new AwsError("InvalidAttributeName", message),
  unknownAttribute: (name: string) => new AwsError("InvalidAttributeName", `Unknown Attribute ${name}.`),
  attributeValue: (name: string, reason?: string) =>
    new AwsError(
      "InvalidAttributeValue",
      `Invalid value for the parameter ${name}.${reason === undefined ? "" : ` Reason: ${reason}`}`,
    ),

  tooLong: (limit: number) =>
    invalid(`One or more parameters are invalid. Reason: Message must be shorter than ${limit} bytes.`),
  contents: () => new AwsError("InvalidMessageContents", CHARACTERS),
  attributeCharacters: (name: string) =>
    invalid(`Message (user) attribute '${name}' has an invalid value. ${CHARACTERS}`),
  accessDenied: (url: string) =>
    new AwsError("AccessDenied", `Access to the resource ${url} is denied.`, { status: 403 }),

  batchEmpty: (entry: string) =>
    new AwsError("EmptyBatchRequest", `There should be at least one ${entry} in the request.`),
  batchTooMany: (count: number) =>
    new AwsError(
      "TooManyEntriesInBatchRequest",
      `Maximum number of entries per request are ${LIMITS.batchEntries}. You have sent ${count}.`,
    ),
  batchTooLong: (bytes: number) =>
    new AwsError(
      "BatchRequestTooLong",
      `Batch requests cannot be longer than ${LIMITS.messageBytes} bytes. You have sent ${bytes} bytes.`,
    ),
  batchId: () =>
    new AwsError(
      "InvalidBatchEntryId",
      "A batch entry id can only contain alphanumeric characters, hyphens and underscores. It can be at most 80 letters long.",
    ),
  batchIdRepeated: (id: string) => new AwsError("BatchEntryIdsNotDistinct", `Id ${id} repeated.`),

  receiptHandle: (handle: string) =>
    new AwsError(
      "ReceiptHandleIsInvalid",
      `The input receipt handle "${clip(handle)}" is not a valid receipt handle.`,
    ),
  receiptHandleElsewhere: (handle: string) =>
    new AwsError(
      "ReceiptHandleIsInvalid",
      `The receipt handle "${clip(handle)}" is not valid for this queue.`,
    ),
  expiredHandle: (handle: string) =>
    sqsErrors.value(handle, "ReceiptHandle", "The receipt handle has expired."),
  notInFlight: (handle: string) =>
    sqsErrors.value(
      handle,
      "ReceiptHandle",
      "Message does not exist or is not available for visibility timeout change.",
    ),
  overLimit: (url: string) =>
    new AwsError(
      "OverLimit",
      `Too many messages are in flight for queue ${url}: the maximum is ${LIMITS.inFlight}. Delete messages after they have been processed.`,
      { status: 403 },
    ),
  purgeInProgress: (queue: string) =>
    new AwsError(
      "PurgeQueueInProgress",
      `Only one PurgeQueue operation on ${queue} is allowed every ${LIMITS.purgeInterval} seconds.`,
      { status: 403 },
    ),
  resourceMissing: (parameter: string) =>
    new AwsError(
      "ResourceNotFoundException",
      `The resource that you specified for the ${parameter} parameter doesn't exist.`,
      { status: 404 },
    ),
  policyLimit: (message: string) => new AwsError("OverLimit", message, { status: 403 }),
  moveRunning: () =>
    invalid(
      "There is already a task running. Only one active task is allowed for a source queue arn at a given time.",
    ),
  moveMissing: () => new AwsError("ResourceNotFoundException", "Task does not exist.", { status: 404 }),
  moveOver: () => invalid("Only active tasks can be cancelled."),
  unsupported: (message: string) => new AwsError("UnsupportedOperation", message),
} as const;

function invalid(message: string): AwsError {
  return new AwsError("InvalidParameterValueException", message);
}

/** A client that sends megabytes need not be sent them back. */
function clip(text: string): string {
  return text.length > 1024 ? `${text.slice(0, 1024)}…` : text;
}

function shown(value: unknown): string {
  return clip(String(value));
}
