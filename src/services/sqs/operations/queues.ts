import type * as client from "@aws-sdk/client-sqs";
import { RevisionConflict } from "#storage/documents";
import type { CallContext, OperationsOf } from "#wire/operation";
import { revise } from "../../revise.ts";
import { applyAttributes, valueOf, type StoredAttributes } from "../attributes.ts";
import { checkDeadLetterQueue, sourceChanges } from "../dead-letters.ts";
import type { SqsContext } from "../context.ts";
import { sqsErrors } from "../errors.ts";
import { LIMITS } from "../limits.ts";
import { readPageToken, writePageToken } from "../pages.ts";
import { queueUrl } from "../queue-url.ts";
import { findQueue, keys, requireOwnQueue, requireQueue, type QueueDocument } from "../store.ts";
import { checkTags } from "../tags.ts";

const NAME = /^[A-Za-z0-9_-]{1,80}$/;
const FIFO_NAME = /^[A-Za-z0-9_-]{1,75}\.fifo$/;

export function queueOperations(context: SqsContext) {
  const { documents, queue: queues, clock, ids, waiting, metrics } = context;

  return {
    async CreateQueue(input, call) {
      const name = input.QueueName ?? "";
      const given = input.Attributes ?? {};
      const fifo = isFifo(name, given);
      const attributes = applyAttributes({}, given, fifo);
      checkTags(input.tags ?? {});
      const existing = findQueue(documents, call, name);
      if (existing !== undefined) return existingQueue(call, existing.settings, given, attributes);
      checkDeadLetterQueue(documents, call, name, fifo, attributes);
      const now = clock.now();
      const value: QueueDocument = {
        name,
        id: ids.hex(16),
        fifo,
        created: now,
        modified: now,
        attributes,
        tags: input.tags ?? {},
      };
      try {
        await documents.commit([
          { key: keys.queue(call, name), value, expected: 0 },
          ...sourceChanges(call, name, {}, attributes),
        ]);
      } catch (error) {
        if (!(error instanceof RevisionConflict)) throw error;
        const winner = findQueue(documents, call, name);
        if (winner === undefined) throw error;
        return existingQueue(call, winner.settings, given, attributes);
      }
      return { QueueUrl: queueUrl(call, { account: call.account, name }) };
    },

    async DeleteQueue(input, call) {
      const queue = requireOwnQueue(documents, call, input.QueueUrl);
      const { key, revision } = queue.document;
      await documents.commit([
        { key, delete: true, expected: revision },
        ...sourceChanges(queue, queue.name, queue.settings.attributes, {}),
      ]);
      waiting.release(queue.messages);
      metrics.close(queue);
      // Nobody finds them any more; should this not happen now, the sweep does it.
      await queues.purge(queue.messages);
      return {};
    },

    GetQueueUrl(input, call) {
      const name = input.QueueName ?? "";
      const account = input.QueueOwnerAWSAccountId ?? call.account;
      if (findQueue(documents, { account, region: call.region }, name) === undefined)
        throw sqsErrors.queueMissing();
      return { QueueUrl: queueUrl(call, { account, name }) };
    },

    ListQueues(input, call) {
      const { QueueNamePrefix: prefix = "", MaxResults, NextToken } = input;
      if (MaxResults !== undefined && (MaxResults < 1 || MaxResults > LIMITS.listPage))
        throw sqsErrors.value(MaxResults, "MaxResults", "MaxResults must be an integer between 1 and 1000.");
      if (NextToken !== undefined && MaxResults === undefined)
        throw sqsErrors.parameter(
          "MaxResults is a mandatory parameter when you provide a value for NextToken.",
        );
      const limit = MaxResults ?? LIMITS.listPage;
      const names: string[] = [];
      let after = NextToken === undefined ? undefined : readPageToken(NextToken);
      const place = [call.account, call.region, "sqs-queue"] as const;
      if (after === undefined && prefix !== "") {
        if (findQueue(documents, call, prefix) !== undefined) names.push(prefix);
        after = prefix;
      }
      const start = after === undefined ? {} : { after: keys.queue(call, after) };
      for (const { value } of documents.list<QueueDocument>(place, { ...start, limit: limit + 1 })) {
        if (!value.name.startsWith(prefix)) break;
        names.push(value.name);
      }
      if (names.length === 0) return {};
      const shown = names.slice(0, limit);
      const more = MaxResults !== undefined && names.length > limit;
      return {
        QueueUrls: shown.map((name) => queueUrl(call, { account: call.account, name })),
        ...(more ? { NextToken: writePageToken(shown.at(-1) ?? "") } : {}),
      };
    },

    async PurgeQueue(input, call) {
      const queue = requireQueue(documents, call, input.QueueUrl);
      const { key } = queue.document;
      await revise<QueueDocument>(documents, key, (current) => {
        if (current === undefined) throw sqsErrors.queueMissing();
        const now = clock.now();
        const { purged } = current.value;
        if (purged !== undefined && now - purged < LIMITS.purgeInterval * 1000)
          throw sqsErrors.purgeInProgress(queue.name);
        return [{ key, value: { ...current.value, purged: now } }];
      });
      await queues.purge(queue.messages);
      return {};
    },
  } satisfies OperationsOf<typeof client>;
}

/** A queue is made once: what is asked for again must not contradict it. */
function existingQueue(
  call: CallContext,
  existing: QueueDocument,
  given: Readonly<Record<string, string | undefined>>,
  asked: StoredAttributes,
) {
  for (const name of Object.keys(given))
    if (valueOf(existing.attributes, existing.fifo, name) !== valueOf(asked, existing.fifo, name))
      throw sqsErrors.queueExists(name);
  return { QueueUrl: queueUrl(call, { account: call.account, name: existing.name }) };
}

function isFifo(name: string, attributes: Readonly<Record<string, string | undefined>>): boolean {
  const asked = attributes["FifoQueue"]?.toLowerCase() === "true";
  if (asked && !FIFO_NAME.test(name)) throw sqsErrors.fifoName();
  if (!asked && !NAME.test(name)) throw sqsErrors.queueName();
  return asked;
}
