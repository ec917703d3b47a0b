import { parseArn } from "#core/arn";
import { errors } from "./errors.ts";
import type { RoleOwner } from "./names.ts";

/**
 * Whether a function's role may do something to a resource, as its policies and the resource's stand now. What acts as the
 * role is refused by the called service itself; this tells it to whoever sets the function up.
 * @param region where it acts
 */
export type RoleMay = (owner: RoleOwner, region: string, action: string, resource: string) => boolean;

/** What sending to a resource needs: an operation, as AWS's messages name it, of a service. */
interface Sending {
  readonly service: string;
  readonly operation: string;
  readonly resource: string;
}

function sendingTo(arn: string): Sending | undefined {
  switch (parseArn(arn)?.service) {
    case "sqs":
      return { service: "SQS", operation: "SendMessage", resource: arn };
    case "sns":
      return { service: "SNS", operation: "Publish", resource: arn };
    case "s3":
      return { service: "S3", operation: "PutObject", resource: `${arn}/*` };
    case "lambda":
      return { service: "Lambda", operation: "InvokeFunction", resource: arn };
    default:
      return undefined;
  }
}

/** Whether a role may send to a queue, topic, bucket or function. */
export function maySend(roleMay: RoleMay, owner: RoleOwner, region: string, arn: string): boolean {
  const sending = sendingTo(arn);
  if (sending === undefined) return true;
  const action = `${sending.service.toLowerCase()}:${sending.operation}`;
  return roleMay(owner, region, action, sending.resource);
}

/** @throws AwsError InvalidParameterValueException where a role may not send to a dead-letter target */
export function requireDeadLetters(
  roleMay: RoleMay,
  owner: RoleOwner,
  region: string,
  target: string | undefined,
): void {
  const sending = target === undefined ? undefined : sendingTo(target);
  if (target === undefined || sending === undefined || maySend(roleMay, owner, region, target)) return;
  throw errors.roleMayNot(sending.operation, sending.service);
}

/** @throws AwsError InvalidParameterValueException where a role may not send to a destination */
export function requireSending(roleMay: RoleMay, owner: RoleOwner, region: string, target: string): void {
  const sending = sendingTo(target);
  if (sending === undefined || maySend(roleMay, owner, region, target)) return;
  throw errors.roleMayNotSend(sending.operation, target);
}

/** @throws AwsError InvalidParameterValueException where a role may not read a queue and remove what it has read */
export function requirePolling(roleMay: RoleMay, owner: RoleOwner, region: string, queue: string): void {
  for (const operation of ["ReceiveMessage", "DeleteMessage", "GetQueueAttributes"])
    if (!roleMay(owner, region, `sqs:${operation}`, queue)) throw errors.roleMayNot(operation, "SQS");
}
