import type * as client from "@aws-sdk/client-sqs";
import { AwsError } from "#core/errors";
import type { OperationsOf } from "#wire/operation";
import { attempt, batchResult, checkBatch } from "../batch.ts";
import type { SqsContext } from "../context.ts";
import { sqsErrors } from "../errors.ts";
import { LIMITS } from "../limits.ts";
import { readReceiptHandle, type Receipt } from "../receipt-handle.ts";
import { requireQueue, type FoundQueue } from "../store.ts";

/** What is done with a receipt handle: a message's end, and the time that is left for it. */
export function receiptOperations(context: SqsContext) {
  const { documents, queue: queues, metrics } = context;

  /**
   * A FIFO queue takes a handle for as long as it holds the message (recorded). A standard queue takes every handle that
   * it ever gave for a message, which clients rely on that are slower than the visibility timeout (recorded:
   * `delete_after_visibility_timeout`), and answers success where the message is gone.
   */
  async function remove(queue: FoundQueue, handle: string | undefined): Promise<void> {
    const { messageId, lease } = readHandle(queue, handle);
    const { fifo } = queue.settings;
    const outcome = await queues.ack(queue.messages, messageId, fifo ? lease : undefined);
    if (fifo && outcome === "lapsed") throw sqsErrors.expiredHandle(handle ?? "");
    if (outcome === "removed") metrics.record(queue, "NumberOfMessagesDeleted", 1);
  }

  async function change(queue: FoundQueue, handle: string | undefined, seconds: number): Promise<void> {
    const { messageId, lease } = readHandle(queue, handle);
    if (!(seconds >= 0 && seconds <= LIMITS.visibilityTimeout))
      throw sqsErrors.value(
        seconds,
        "VisibilityTimeout",
        `VisibilityTimeout must be an integer between 0 and ${LIMITS.visibilityTimeout}`,
      );
    const held = queue.settings.fifo ? lease : undefined;
    if (!(await queues.extend(queue.messages, messageId, held, seconds * 1000)))
      throw sqsErrors.notInFlight(handle ?? "");
  }

  return {
    async DeleteMessage(input, call) {
      await remove(requireQueue(documents, call, input.QueueUrl), input.ReceiptHandle);
      return {};
    },

    async DeleteMessageBatch(input, call) {
      const queue = requireQueue(documents, call, input.QueueUrl);
      const entries = checkBatch(input.Entries, "DeleteMessageBatchRequestEntry");
      return each(entries, ({ ReceiptHandle }) => remove(queue, ReceiptHandle));
    },

    async ChangeMessageVisibility(input, call) {
      const queue = requireQueue(documents, call, input.QueueUrl);
      await change(queue, input.ReceiptHandle, input.VisibilityTimeout ?? Number.NaN);
      return {};
    },

    async ChangeMessageVisibilityBatch(input, call) {
      const queue = requireQueue(documents, call, input.QueueUrl);
      const entries = checkBatch(input.Entries, "ChangeMessageVisibilityBatchRequestEntry");
      return each(entries, ({ ReceiptHandle, VisibilityTimeout = 0 }) =>
        change(queue, ReceiptHandle, VisibilityTimeout),
      );
    },
  } satisfies OperationsOf<typeof client>;
}

/** Entries share one commit, because all of them are asked for in the same turn. */
async function each<T extends { readonly Id: string | undefined }>(
  entries: readonly T[],
  work: (entry: T) => Promise<void>,
) {
  const outcomes = await Promise.all(entries.map((entry) => attempt(() => work(entry))));
  return batchResult(
    outcomes.map((outcome, index) =>
      outcome instanceof AwsError ? outcome : { Id: entries[index]?.Id ?? "" },
    ),
    entries.map(({ Id }) => Id),
  );
}

function readHandle(queue: FoundQueue, handle: string | undefined): Receipt {
  const receipt = readReceiptHandle(handle ?? "");
  if (receipt === undefined) throw sqsErrors.receiptHandle(handle ?? "");
  if (receipt.queueId !== queue.settings.id) throw sqsErrors.receiptHandleElsewhere(handle ?? "");
  return receipt;
}
