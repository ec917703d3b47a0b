import type { Message, MessageAttributeValue } from "@aws-sdk/client-sqs";
import { parseArn } from "#core/arn";
import type { PolledRecord } from "#engine/pollers/contract";

export interface SqsMessage extends PolledRecord {
  readonly receiptHandle: string;
}

interface Shown {
  /** The queue's. */
  readonly arn: string;
  readonly windowed: boolean;
}

/**
 * A message as functions see it (recorded: test_message_body_and_attributes_passed_correctly). Of mappings with a batch
 * window, `md5OfMessageAttributes` is null where there are no attributes; others leave it out (recorded: batch_size).
 */
export function readSqsMessage(message: Message, { arn, windowed }: Shown): SqsMessage {
  const { MessageId = "", ReceiptHandle = "", Body = "", Attributes = {}, MessageAttributes = {} } = message;
  const md5OfMessageAttributes = message.MD5OfMessageAttributes ?? (windowed ? null : undefined);
  const record = {
    messageId: MessageId,
    receiptHandle: ReceiptHandle,
    body: Body,
    attributes: Attributes,
    messageAttributes: Object.fromEntries(
      Object.entries(MessageAttributes).map(([name, value]) => [name, readAttribute(value)]),
    ),
    ...(md5OfMessageAttributes === undefined ? {} : { md5OfMessageAttributes }),
    md5OfBody: message.MD5OfBody ?? "",
    eventSource: "aws:sqs",
    eventSourceARN: arn,
    awsRegion: parseArn(arn)?.region ?? "",
  };
  return {
    id: MessageId,
    receiptHandle: ReceiptHandle,
    json: JSON.stringify(record),
    filtered: () => ({ ...record, body: readBody(Body) }),
    traceHeader: Attributes.AWSTraceHeader,
  };
}

function readAttribute({ DataType, StringValue, BinaryValue }: MessageAttributeValue) {
  return {
    ...(StringValue === undefined ? {} : { stringValue: StringValue }),
    ...(BinaryValue === undefined ? {} : { binaryValue: Buffer.from(BinaryValue).toString("base64") }),
    stringListValues: [],
    binaryListValues: [],
    dataType: DataType ?? "",
  };
}

/** Filters look into bodies that are JSON objects; all others are text to them. */
function readBody(body: string): unknown {
  if (!/^\s*\{/.test(body)) return body;
  try {
    return JSON.parse(body) as unknown;
  } catch {
    return body;
  }
}
