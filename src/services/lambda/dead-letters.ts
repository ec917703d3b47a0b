import type { AsyncEvent } from "#engine/invocation/async-event";
import type { EventOutcome } from "#engine/invocation/async-outcome";
import { parseArn } from "#core/arn";
import type { CallerIdentity } from "#wire/operation";
import type { Delivery, TextAttributes } from "./delivery.ts";
import { errors } from "./errors.ts";

/** "The first 1 KB of the error message" (developer guide, "Adding a dead-letter queue"). */
const MESSAGE_BYTES = 1024;

/**
 * The target of a DeadLetterConfig; undefined where there is none.
 * @throws AwsError InvalidParameterValueException
 */
export function deadLetterTarget(
  config: { readonly TargetArn?: string | undefined } | undefined,
): string | undefined {
  const arn = config?.TargetArn;
  // An empty ARN is none: Terraform sends it so.
  if (arn === undefined || arn === "") return undefined;
  const { service, resource = "" } = parseArn(arn) ?? {};
  if (service !== "sqs" && service !== "sns") throw errors.deadLetterServiceInvalid();
  if (service === "sqs" && resource.endsWith(".fifo")) throw errors.deadLetterQueueOrdered();
  return arn;
}

/** Sends an event that was given up, as it came, with what became of it as attributes. Rejects with AwsErrors. */
export function sendDeadLetter(
  delivery: Delivery,
  target: string,
  event: AsyncEvent,
  outcome: EventOutcome,
  by: CallerIdentity,
): Promise<void> {
  const text = Buffer.from(event.payload).toString();
  const attributes = attributesOf(event, outcome);
  return parseArn(target)?.service === "sns"
    ? delivery.toTopic(target, text, by, attributes)
    : delivery.toQueue(target, text, by, attributes);
}

/** Recorded: test_sqs_queue_as_lambda_dead_letter_queue. */
function attributesOf({ requestId }: AsyncEvent, { last, refusal }: EventOutcome): TextAttributes {
  const status = last === undefined ? (refusal?.status ?? 500) : 200;
  const message = last === undefined ? (refusal?.message ?? "") : errorMessageOf(last.result.payload);
  return {
    RequestID: { DataType: "String", StringValue: requestId },
    ErrorCode: { DataType: "Number", StringValue: String(status) },
    // No message attribute may be empty.
    ...(message === "" ? {} : { ErrorMessage: { DataType: "String", StringValue: message } }),
  };
}

function errorMessageOf(payload: Uint8Array): string {
  let message: unknown;
  try {
    message = (JSON.parse(Buffer.from(payload).toString()) as { errorMessage?: unknown } | null)
      ?.errorMessage;
  } catch {
    return "";
  }
  if (typeof message !== "string") return "";
  // Cut between characters, and without those that no message may hold.
  const cut = Buffer.from(message).subarray(0, MESSAGE_BYTES).toString().replace(/�$/, "");
  // oxlint-disable-next-line no-control-regex
  return cut.replaceAll(/[^\u0009\u000a\u000d\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/gu, "");
}
