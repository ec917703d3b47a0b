import type * as client from "@aws-sdk/client-sns";
import { AwsError } from "#core/errors";
import type { CallContext, Handler, OperationsOf } from "#wire/operation";
import { requireTopicArn, type TopicName } from "../arns.ts";
import type { SnsDeps } from "../deps.ts";
import { snsErrors } from "../errors.ts";
import { LIMITS } from "../limits.ts";
import { sequenceNumber } from "../message/message.ts";
import {
  type MessageRequest,
  requireContent,
  requireFifoIds,
  requireSize,
  sizeOfContent,
} from "../message/request.ts";
import type { SnsMetrics } from "../metrics.ts";
import { applicationArn, requireEndpointArn } from "../platform-arns.ts";
import type { Accepted, Publisher, Submission } from "../publisher.ts";
import {
  type ApplicationDocument,
  type EndpointDocument,
  keys,
  requireTopic,
  type TopicDocument,
} from "../store.ts";
import { isPhoneNumber } from "../subscription/endpoints.ts";

type Sns = typeof client;

/** Ids of a batch: "up to 80 characters … alphanumeric, hyphens and underscores". */
const ENTRY_ID = /^[\w-]{1,80}$/u;

export function publishOperations(
  { documents, clock, ids, outbox }: SnsDeps,
  { publisher, metrics }: { readonly publisher: Publisher; readonly metrics: SnsMetrics },
) {
  const Publish: Handler<Sns, "Publish"> = async (input, call) => {
    if (input.PhoneNumber !== undefined) return publishToPhone(input.PhoneNumber, input, call);
    const [arn, parameter] =
      input.TopicArn === undefined ? [input.TargetArn, "TargetArn"] : [input.TopicArn, "TopicArn"];
    if (arn === undefined)
      throw snsErrors.parameter("TopicArn or TargetArn", "no value for required parameter");
    if (arn.includes(":endpoint/")) return publishToEndpoint(arn, parameter, input, call);
    const name = requireTopicArn(arn, call, parameter);
    const content = requireContent(input);
    requireSize(content);
    const topic = requireTopic(documents, name).value;
    const submission: Submission = { content, ...requireFifoIds(input, topic) };
    const [accepted] = await accept(name, topic, [submission], call);
    return answerOf(accepted);
  };

  const PublishBatch: Handler<Sns, "PublishBatch"> = async (input, call) => {
    const name = requireTopicArn(input.TopicArn, call);
    const topic = requireTopic(documents, name).value;
    const entries = requireEntries(input.PublishBatchRequestEntries ?? []);
    const text = entries.reduce((sum, { Message = "" }) => sum + Buffer.byteLength(Message), 0);
    if (text > LIMITS.messageBytes) throw snsErrors.batchTooLong();
    const submissions: Submission[] = [];
    const published: string[] = [];
    const failed: client.BatchResultErrorEntry[] = [];
    for (const entry of entries) {
      const { Id: id = "" } = entry;
      const submission = submit(entry, topic);
      if (submission instanceof AwsError)
        failed.push({ Id: id, Code: "InvalidParameter", Message: submission.message, SenderFault: true });
      else {
        submissions.push(submission);
        published.push(id);
      }
    }
    const bytes = submissions.reduce((sum, { content }) => sum + sizeOfContent(content), 0);
    if (bytes > LIMITS.messageBytes) throw snsErrors.batchTooLong();
    const accepted = await accept(name, topic, submissions, call);
    return {
      Successful: accepted.map((message, index) => ({ Id: published[index], ...answerOf(message) })),
      Failed: failed,
    };
  };

  async function accept(
    name: TopicName,
    topic: TopicDocument,
    submissions: readonly Submission[],
    call: CallContext,
  ): Promise<readonly Accepted[]> {
    const accepted = await publisher.accept(name, topic, submissions, traceOf(call));
    for (const { content } of submissions) metrics.published(name, sizeOfContent(content), clock.now());
    return accepted;
  }

  async function publishToPhone(
    number: string,
    input: MessageRequest,
    { account, region }: CallContext,
  ): Promise<client.PublishResponse> {
    if (!isPhoneNumber(number) || !number.startsWith("+"))
      throw snsErrors.parameter("PhoneNumber", `${number} is not valid to publish to`);
    const content = requireContent(input);
    requireSize(content);
    if (documents.get(keys.optedOut({ account, region }, number)) !== undefined)
      throw snsErrors.optedOut(number);
    const messageId = ids.uuid();
    const body = content.structured ? textOf(content.text, "sms") : content.text;
    await outbox.put({ channel: "sms", account, region, to: number, body, messageId });
    return { MessageId: messageId };
  }

  async function publishToEndpoint(
    arn: string,
    parameter: string,
    input: MessageRequest,
    call: CallContext,
  ): Promise<client.PublishResponse> {
    const named = requireEndpointArn(arn, call, parameter);
    const { account, region, platform, name, id } = named;
    const content = requireContent(input);
    requireSize(content);
    const endpoint = documents.get<EndpointDocument>(keys.endpoint(named, platform, name, id))?.value;
    const application = documents.get<ApplicationDocument>(keys.application(named, platform, name))?.value;
    if (endpoint === undefined || application === undefined)
      throw snsErrors.parameter(parameter, "No endpoint found for the target arn specified");
    if (application.attributes["Enabled"] === "false") throw snsErrors.applicationDisabled();
    if (endpoint.attributes["Enabled"] === "false") throw snsErrors.endpointDisabled();
    const messageId = ids.uuid();
    const body = content.structured ? textOf(content.text, platform) : content.text;
    await outbox.put({
      channel: "application",
      account,
      region,
      to: arn,
      ...(content.subject === undefined ? {} : { subject: content.subject }),
      body,
      messageId,
      topicArn: applicationArn(named),
    });
    return { MessageId: messageId };
  }

  return { Publish, PublishBatch } satisfies OperationsOf<Sns>;
}

/** Whatever else a client sends under that name is no trace, and would make receivers refuse the message. */
const TRACE = /^Root=1-[\da-f]{8}-[\da-f]{24}(?:;[\x21-\x3a\x3c-\x7e]+)*;?$/iu;
const MAX_TRACE = 1024;

function traceOf({ headers }: CallContext): string | undefined {
  const header = headers["x-amzn-trace-id"];
  return header !== undefined && header.length <= MAX_TRACE && TRACE.test(header) ? header : undefined;
}

function answerOf(accepted: Accepted | undefined): client.PublishResponse {
  if (accepted === undefined) throw new Error("a message was neither accepted nor refused");
  const { id, sequence } = accepted;
  return {
    MessageId: id,
    ...(sequence === undefined ? {} : { SequenceNumber: sequenceNumber(sequence) }),
  };
}

/** What is wrong with the batch as a whole (recorded: test_publish_batch_exceptions). */
function requireEntries(
  entries: readonly client.PublishBatchRequestEntry[],
): readonly client.PublishBatchRequestEntry[] {
  if (entries.length === 0) throw snsErrors.emptyBatch();
  if (entries.length > LIMITS.batchEntries) throw snsErrors.batchTooLarge();
  const given = entries.map(({ Id }) => Id ?? "");
  if (!given.every((id) => ENTRY_ID.test(id))) throw snsErrors.batchId();
  if (new Set(given).size < given.length) throw snsErrors.batchIdsEqual();
  return entries;
}

/**
 * One entry of a batch. Recorded: wrong attributes, message structures and FIFO parameters fail the whole batch; an empty
 * message or a wrong subject fails its entry alone.
 */
function submit(entry: MessageRequest, topic: TopicDocument): Submission | AwsError {
  try {
    return { content: requireContent(entry), ...requireFifoIds(entry, topic) };
  } catch (error) {
    if (!(error instanceof AwsError)) throw error;
    if (!/^Invalid parameter: (?:Empty message|Subject)$/u.test(error.message)) throw error;
    return error;
  }
}

function textOf(structured: string, protocol: string): string {
  const texts = JSON.parse(structured) as Readonly<Record<string, unknown>>;
  const text = texts[protocol] ?? texts["default"];
  return typeof text === "string" ? text : "";
}
