import type * as client from "@aws-sdk/client-sqs";
import { AwsError } from "#core/errors";
import type { CallContext, OperationsOf } from "#wire/operation";
import { numberOf } from "../attributes.ts";
import { Attempts } from "../attempts.ts";
import { attempt, batchResult, checkBatch } from "../batch.ts";
import type { SqsContext } from "../context.ts";
import { sqsErrors } from "../errors.ts";
import { LIMITS } from "../limits.ts";
import { describeMessage, receive, type Received } from "../receiving.ts";
import { messageUuid, sequenceNumber } from "../record.ts";
import { checkBatchSize, checkFifo, checkToken, prepare, wrongForQueue, type Prepared } from "../sending.ts";
import { requireQueue, type FoundQueue } from "../store.ts";

export function messageOperations(context: SqsContext) {
  const { documents, queue: queues, waiting, metrics, clock } = context;
  const attempts = new Attempts(clock);

  /** What a sender is answered, once its messages are on disk. */
  async function store(queue: FoundQueue, prepared: readonly Prepared[]) {
    const ids = await queues.append(prepared.map(({ append }) => append));
    metrics.record(queue, "NumberOfMessagesSent", prepared.length);
    for (const { bytes } of prepared) metrics.record(queue, "SentMessageSize", bytes);
    return prepared.map(({ digests }, index) => {
      const id = ids[index] ?? "";
      return {
        ...digests,
        MessageId: messageUuid(queue.settings.id, id),
        ...(queue.settings.fifo ? { SequenceNumber: sequenceNumber(id) } : {}),
      };
    });
  }

  return {
    async SendMessage(input, call) {
      const queue = requireQueue(documents, call, input.QueueUrl);
      checkFifo(queue, input);
      const [sent] = await store(queue, [prepare(queue, input, call)]);
      if (sent === undefined) throw new Error("a message was stored without an id");
      return sent;
    },

    async SendMessageBatch(input, call) {
      const queue = requireQueue(documents, call, input.QueueUrl);
      const entries = checkBatch(input.Entries, "SendMessageBatchRequestEntry");
      checkBatchSize(entries);
      for (const entry of entries) checkBatchFifo(queue, entry);
      const prepared = await Promise.all(entries.map((entry) => attempt(() => prepare(queue, entry, call))));
      const good = prepared.filter((each): each is Prepared => !(each instanceof AwsError));
      const sent = good.length === 0 ? [] : await store(queue, good);
      let next = 0;
      const outcomes = prepared.map((each, index) => {
        if (each instanceof AwsError) return each;
        const stored = sent[next++];
        if (stored === undefined) throw new Error("a message was stored without an id");
        return { Id: entries[index]?.Id ?? "", ...stored };
      });
      return batchResult(
        outcomes,
        entries.map(({ Id }) => Id),
      );
    },

    async ReceiveMessage(input, call) {
      const queue = requireQueue(documents, call, input.QueueUrl);
      const asked = readReceive(queue, input);
      checkInFlight(call, queue);
      const received = (await repeated(queue, asked)) ?? (await find(queue, asked, input.QueueUrl, call));
      if (received.length === 0) {
        metrics.record(queue, "NumberOfEmptyReceives", 1);
        return {};
      }
      metrics.record(queue, "NumberOfMessagesReceived", received.length);
      const wanted = {
        system: input.MessageSystemAttributeNames ?? input.AttributeNames ?? [],
        own: input.MessageAttributeNames ?? [],
      };
      return { Messages: received.map((message) => describeMessage(queue, message, wanted)) };
    },
  } satisfies OperationsOf<typeof client>;

  /** Receives messages, if need be after a wait. */
  async function find(
    queue: FoundQueue,
    { max, visibility, wait, attempt: key }: ReceiveRequest,
    url: string | undefined,
    call: CallContext,
  ): Promise<readonly Received[]> {
    const look = (): Promise<readonly Received[]> => {
      // Its attributes may change while somebody waits, and it may go.
      const now = requireQueue(documents, call, url);
      return receive(context, now, max, visibility * 1000);
    };
    let received: readonly Received[];
    if (wait === 0) received = await look();
    else {
      const { signal } = call;
      received = await waiting.wait(queue.messages, wait * 1000, signal, look);
      if (signal.aborted && received.length > 0) received = await putBack(queue, received);
    }
    if (key !== undefined && received.length > 0) attempts.remember(key, received);
    return received;
  }

  /** What the same attempt received before, if all of it is still in flight; its visibility timeout begins anew. */
  async function repeated(
    queue: FoundQueue,
    { attempt: key, visibility }: ReceiveRequest,
  ): Promise<readonly Received[] | undefined> {
    const known = key === undefined ? undefined : attempts.find(key);
    if (known === undefined) return undefined;
    const held = await Promise.all(
      known.map(({ leased }) => queues.extend(queue.messages, leased.id, leased.lease, visibility * 1000)),
    );
    return held.every(Boolean) ? known : undefined;
  }

  /** Nobody is there to take them any more: others need not wait for the visibility timeout. */
  async function putBack(queue: FoundQueue, received: readonly Received[]): Promise<readonly Received[]> {
    await Promise.all(
      received.map(({ leased }) => queues.extend(queue.messages, leased.id, leased.lease, 0)),
    );
    return [];
  }

  /** A FIFO queue gives nothing more beyond its limit; what is asked of a standard queue is refused. */
  function checkInFlight(call: CallContext, queue: FoundQueue): void {
    if (queue.settings.fifo) return;
    if (queues.depth(queue.messages).leased >= LIMITS.inFlight)
      throw sqsErrors.overLimit(`${call.baseUrl}/${queue.account}/${queue.name}`);
  }
}

/** Recorded: within a batch, a missing group is an invalid value and not a missing parameter. */
function checkBatchFifo(queue: FoundQueue, entry: client.SendMessageBatchRequestEntry): void {
  try {
    checkFifo(queue, entry);
  } catch (error) {
    throw error instanceof AwsError ? sqsErrors.parameter(error.message) : error;
  }
}

interface ReceiveRequest {
  readonly max: number;
  /** Seconds, as is `visibility`. */
  readonly wait: number;
  readonly visibility: number;
  /** What tells a repeated receive of a FIFO queue. */
  readonly attempt: string | undefined;
}

function readReceive(queue: FoundQueue, input: client.ReceiveMessageRequest): ReceiveRequest {
  const { attributes, fifo, id } = queue.settings;
  const { ReceiveRequestAttemptId: attempt } = input;
  if (attempt !== undefined) {
    if (!fifo) throw wrongForQueue("ReceiveRequestAttemptId", attempt);
    checkToken("ReceiveRequestAttemptId", attempt);
  }
  const max = input.MaxNumberOfMessages ?? 1;
  if (max < 1 || max > LIMITS.receive)
    throw sqsErrors.value(max, "MaxNumberOfMessages", "Must be between 1 and 10, if provided.");
  const wait = input.WaitTimeSeconds ?? numberOf(attributes, "ReceiveMessageWaitTimeSeconds");
  if (wait < 0 || wait > LIMITS.wait)
    throw sqsErrors.value(wait, "WaitTimeSeconds", "Must be >= 0 and <= 20, if provided.");
  const visibility = input.VisibilityTimeout ?? numberOf(attributes, "VisibilityTimeout");
  if (visibility < 0 || visibility > LIMITS.visibilityTimeout)
    throw sqsErrors.value(
      visibility,
      "VisibilityTimeout",
      `Must be >= 0 and <= ${LIMITS.visibilityTimeout}, if provided.`,
    );
  return { max, wait, visibility, attempt: attempt === undefined ? undefined : `${id} ${attempt}` };
}
