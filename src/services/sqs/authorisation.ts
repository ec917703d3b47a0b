import { formatArn, parseArn } from "#core/arn";
import type { Documents } from "#storage/documents";
import { oldAccessDenied } from "#wire/authorisation/denials";
import { requestTagKeys } from "#wire/authorisation/request-keys";
import type { Question, ServiceAuthorisation } from "#wire/authorisation/types";
import type { CallContext } from "#wire/operation";
import { parseQueueUrl } from "./queue-url.ts";
import { keys, type QueueDocument } from "./store.ts";

interface Input {
  readonly QueueUrl?: string | undefined;
  readonly QueueName?: string | undefined;
  readonly QueueOwnerAWSAccountId?: string | undefined;
  readonly SourceArn?: string | undefined;
  readonly TaskHandle?: string | undefined;
  /** CreateQueue alone spells it so. */
  readonly tags?: Readonly<Record<string, string>> | undefined;
  readonly Tags?: Readonly<Record<string, string>> | undefined;
  readonly TagKeys?: readonly string[] | undefined;
}

/** Operations on a queue; batches need the permission of the single operation (there are no actions of their names). */
const ON_QUEUES: Readonly<Record<string, string>> = {
  AddPermission: "addpermission",
  ChangeMessageVisibility: "changemessagevisibility",
  ChangeMessageVisibilityBatch: "changemessagevisibility",
  DeleteMessage: "deletemessage",
  DeleteMessageBatch: "deletemessage",
  DeleteQueue: "deletequeue",
  GetQueueAttributes: "getqueueattributes",
  ListDeadLetterSourceQueues: "listdeadlettersourcequeues",
  ListQueueTags: "listqueuetags",
  PurgeQueue: "purgequeue",
  ReceiveMessage: "receivemessage",
  RemovePermission: "removepermission",
  SendMessage: "sendmessage",
  SendMessageBatch: "sendmessage",
  SetQueueAttributes: "setqueueattributes",
  TagQueue: "tagqueue",
  UntagQueue: "untagqueue",
};

/** What SQS's operations need permission for; its denials write actions in lower case. */
export function createSqsAuthorisation(documents: Documents): ServiceAuthorisation {
  const settingsOf = (arn: string): QueueDocument | undefined => {
    const parsed = parseArn(arn);
    return parsed === undefined
      ? undefined
      : documents.get<QueueDocument>(keys.queue(parsed, parsed.resource))?.value;
  };
  return {
    prefix: "sqs",
    denied: oldAccessDenied,
    questions: {
      ...Object.fromEntries(
        Object.entries(ON_QUEUES).map(([operation, action]) => [
          operation,
          (input: Input, call: CallContext) => ask(action, queueOf(input, call), input),
        ]),
      ),
      CreateQueue: (input: Input, call: CallContext) => ask("createqueue", namedQueue(input, call), input),
      GetQueueUrl: (input: Input, call: CallContext) => ask("getqueueurl", namedQueue(input, call), input),
      // Shown so by AWS: an ARN whose queue is missing.
      ListQueues: (input: Input, call: CallContext) =>
        ask("listqueues", formatArn("sqs", call.region, call.account, ""), input),
      StartMessageMoveTask: (input: Input) => ask("startmessagemovetask", input.SourceArn ?? "*", input),
      ListMessageMoveTasks: (input: Input) => ask("listmessagemovetasks", input.SourceArn ?? "*", input),
      CancelMessageMoveTask: (input: Input) =>
        ask("cancelmessagemovetask", sourceOf(input.TaskHandle), input),
    },
    resourcePolicy: (arn) => settingsOf(arn)?.attributes["Policy"],
    resourceTags: (arn) => settingsOf(arn)?.tags,
  };
}

function ask(action: string, resource: string, { tags, Tags, TagKeys }: Input): readonly Question[] {
  return [
    {
      action: `sqs:${action}`,
      resource,
      keys: { ...requestTagKeys(tags ?? Tags), ...(TagKeys === undefined ? {} : { "aws:tagkeys": TagKeys }) },
    },
  ];
}

function queueOf({ QueueUrl = "" }: Input, call: CallContext): string {
  const { account, name } = parseQueueUrl(QueueUrl) ?? { account: call.account, name: QueueUrl };
  return formatArn("sqs", call.region, account, name);
}

function namedQueue({ QueueName = "", QueueOwnerAWSAccountId: owner }: Input, call: CallContext): string {
  return formatArn("sqs", call.region, owner ?? call.account, QueueName);
}

/** A task's handle names its queue. */
function sourceOf(handle = ""): string {
  return /"sourceArn":"(arn:[^"]+)"/.exec(Buffer.from(handle, "base64").toString())?.[1] ?? "*";
}
