import { parseArn } from "#core/arn";
import { sqsErrors } from "./errors.ts";

/** What RedrivePolicy says: after so many receives, a message moves there. */
export interface RedrivePolicy {
  readonly deadLetterTargetArn: string;
  readonly maxReceiveCount: number;
}

const MOST_RECEIVES = 1000;
const MOST_SOURCES = 10;

/** Reads a stored RedrivePolicy. */
export function redrivePolicyOf(stored: string | undefined): RedrivePolicy | undefined {
  return stored === undefined ? undefined : (JSON.parse(stored) as RedrivePolicy);
}

/**
 * Checks a RedrivePolicy and writes it as AWS tells it: the number as a number, however it was given.
 * @throws AwsError InvalidParameterValue
 */
export function normaliseRedrivePolicy(text: string): string {
  const refuse = (reason: string): Error => sqsErrors.value(text, "RedrivePolicy", reason);
  const policy = parseMap(text);
  if (policy === undefined) throw refuse("Redrive policy is not a valid JSON map.");
  const { deadLetterTargetArn, maxReceiveCount } = policy;
  for (const name of ["deadLetterTargetArn", "maxReceiveCount"])
    if (policy[name] === undefined || policy[name] === "")
      throw refuse(`Redrive policy does not contain mandatory attribute: ${name}.`);
  const unknown = Object.keys(policy).find(
    (name) => name !== "deadLetterTargetArn" && name !== "maxReceiveCount",
  );
  if (unknown !== undefined) throw refuse(`Redrive policy contains unknown attribute: ${unknown}.`);
  if (typeof deadLetterTargetArn !== "string" || parseArn(deadLetterTargetArn)?.service !== "sqs")
    throw refuse("Invalid value for deadLetterTargetArn.");
  const count =
    typeof maxReceiveCount === "string" && /^\d+$/.test(maxReceiveCount)
      ? Number(maxReceiveCount)
      : maxReceiveCount;
  if (typeof count !== "number" || !Number.isInteger(count) || count < 1 || count > MOST_RECEIVES)
    throw refuse(
      `Invalid value for maxReceiveCount: ${String(maxReceiveCount)}, valid values are from 1 to ${MOST_RECEIVES} both inclusive.`,
    );
  return JSON.stringify({ deadLetterTargetArn, maxReceiveCount: count });
}

/** @throws AwsError InvalidParameterValue */
export function checkRedriveAllowPolicy(text: string): string {
  const refuse = (reason: string): Error => sqsErrors.value(text, "RedriveAllowPolicy", reason);
  const policy = parseMap(text);
  if (policy === undefined)
    throw refuse("Amazon SQS can't create the redrive allow policy, as it’s in an unsupported format.");
  const { redrivePermission, sourceQueueArns } = policy;
  if (redrivePermission !== "allowAll" && redrivePermission !== "denyAll" && redrivePermission !== "byQueue")
    throw refuse("Amazon SQS can't create the redrive allow policy, as it’s in an unsupported format.");
  const arns = sourceQueueArns ?? [];
  const listed = Array.isArray(arns) ? arns.filter((arn) => typeof arn === "string") : [];
  if (redrivePermission !== "byQueue" && sourceQueueArns !== undefined)
    throw refuse("The sourceQueueArns parameter can be specified only when redrivePermission is byQueue.");
  if (redrivePermission === "byQueue" && (listed.length === 0 || listed.length > MOST_SOURCES))
    throw refuse(
      `The sourceQueueArns parameter must list 1 to ${MOST_SOURCES} queues when redrivePermission is byQueue.`,
    );
  return text;
}

/** Whether a queue with this RedriveAllowPolicy takes the dead letters of `sourceArn`. */
export function allowsSource(stored: string | undefined, sourceArn: string): boolean {
  const policy = stored === undefined ? undefined : parseMap(stored);
  if (policy === undefined || policy["redrivePermission"] === "allowAll") return true;
  const arns = policy["sourceQueueArns"];
  return policy["redrivePermission"] === "byQueue" && Array.isArray(arns) && arns.includes(sourceArn);
}

function parseMap(text: string): Record<string, unknown> | undefined {
  try {
    const parsed: unknown = JSON.parse(text);
    return typeof parsed === "object" && parsed !== null && !Array.isArray(parsed)
      ? (parsed as Record<string, unknown>)
      : undefined;
  } catch {
    return undefined;
  }
}
