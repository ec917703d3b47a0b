import { parseArn } from "#core/arn";
import { AwsError } from "#core/errors";
import { servicePrincipal } from "#core/principal";
import type { AwsCaller } from "#wire/operation";
import type { NamedDestination } from "./configuration.ts";
import type { Notification } from "./events.ts";

/** Who S3 is to the functions, queues and topics that it calls: their policies allow it, for this bucket. */
function callerOf(account: string, bucketArn: string) {
  return servicePrincipal("s3.amazonaws.com", { account, sourceArn: bucketArn });
}

interface Sending {
  readonly bucketArn: string;
  readonly body: string;
  readonly trace?: string | undefined;
}

/** @throws AwsError of the destination's service */
export async function send(
  caller: AwsCaller,
  { kind, arn }: NamedDestination,
  sending: Sending,
): Promise<void> {
  const { account, region, resource } = target(arn);
  const { body, trace } = sending;
  // With the trace goes its lineage, by which loops are found.
  const by = { principal: callerOf(account, sending.bucketArn), region, traceHeader: trace };
  if (kind === "lambda") {
    const input = { FunctionName: arn, InvocationType: "Event", Payload: Buffer.from(body) };
    await caller.call("lambda", "Invoke", input, by);
    return;
  }
  if (kind === "sqs") {
    const QueueUrl = `https://sqs.${region}.amazonaws.com/${account}/${resource}`;
    const attributes =
      trace === undefined
        ? {}
        : { MessageSystemAttributes: { AWSTraceHeader: { DataType: "String", StringValue: trace } } };
    await caller.call("sqs", "SendMessage", { QueueUrl, MessageBody: body, ...attributes }, by);
    return;
  }
  const input = { TopicArn: arn, Subject: "Amazon S3 Notification", Message: body };
  await caller.call("sns", "Publish", input, by);
}

/** Puts an event on the default bus of the bucket's account. */
export async function sendToBus(
  caller: AwsCaller,
  { bucketArn, body, detailType = "", happened }: Notification,
  { account, region }: { readonly account: string; readonly region: string },
): Promise<void> {
  const entry = {
    Source: "aws.s3",
    DetailType: detailType,
    Detail: body,
    Resources: [bucketArn],
    Time: new Date(happened),
  };
  const by = { principal: callerOf(account, bucketArn), region };
  const answer = (await caller.call("events", "PutEvents", { Entries: [entry] }, by)) as {
    readonly FailedEntryCount?: number;
    readonly Entries?: readonly { readonly ErrorCode?: string; readonly ErrorMessage?: string }[];
  };
  const [failed] = answer.Entries ?? [];
  if ((answer.FailedEntryCount ?? 0) > 0)
    throw new AwsError(failed?.ErrorCode ?? "InternalFailure", failed?.ErrorMessage ?? "", { status: 500 });
}

/**
 * Whether S3 may reach a destination: queues and topics are sent a test event, functions are asked without being run.
 * @returns why not, in S3's words
 */
export async function validate(
  caller: AwsCaller,
  destination: NamedDestination,
  test: Sending,
): Promise<{ readonly arn: string; readonly reason: string } | undefined> {
  const { kind, arn } = destination;
  try {
    if (kind === "lambda") {
      const { account, region } = target(arn);
      const by = { principal: callerOf(account, test.bucketArn), region };
      await caller.call("lambda", "Invoke", { FunctionName: arn, InvocationType: "DryRun" }, by);
    } else await send(caller, destination, test);
    return undefined;
  } catch (problem) {
    if (!(problem instanceof AwsError)) throw problem;
    // The name's `, null` is what S3 writes of a function without a qualifier (recorded).
    if (kind === "lambda")
      return { arn: `${arn}, null`, reason: `Not authorized to invoke function [${arn}]` };
    const what = kind === "sqs" ? "queue" : "topic";
    const reason = MISSING.has(problem.code)
      ? `The destination ${what} does not exist`
      : `Permissions on the destination ${what} do not allow S3 to publish notifications from this bucket`;
    return { arn, reason };
  }
}

const MISSING: ReadonlySet<string> = new Set([
  "QueueDoesNotExist",
  "AWS.SimpleQueueService.NonExistentQueue",
  "NotFound",
  "NotFoundException",
]);

/** Of ARNs that were checked when they were configured. */
function target(arn: string): {
  readonly account: string;
  readonly region: string;
  readonly resource: string;
} {
  const parsed = parseArn(arn);
  if (parsed === undefined) throw new AwsError("InvalidArgument", "The ARN could not be parsed");
  return parsed;
}
