import type * as client from "@aws-sdk/client-sqs";
import type { OperationsOf } from "#wire/operation";
import { revise } from "../../revise.ts";
import { applyAttributes, isAttribute, SETTABLE, valueOf } from "../attributes.ts";
import { checkDeadLetterQueue, sourceChanges } from "../dead-letters.ts";
import type { SqsContext } from "../context.ts";
import { sqsErrors } from "../errors.ts";
import { expire } from "../retention.ts";
import { requireOwnQueue, requireQueue, type FoundQueue, type QueueDocument } from "../store.ts";

export function attributeOperations(context: SqsContext) {
  const { documents, queue: queues, clock } = context;

  function describe(queue: FoundQueue): Record<string, string> {
    const { attributes, fifo, created, modified } = queue.settings;
    const depth = queues.depth(queue.messages);
    const seconds = (time: number): string => String(Math.floor(time / 1000));
    const told: Record<string, string | undefined> = {
      QueueArn: queue.arn,
      ApproximateNumberOfMessages: String(depth.visible),
      ApproximateNumberOfMessagesNotVisible: String(depth.leased),
      ApproximateNumberOfMessagesDelayed: String(depth.delayed),
      CreatedTimestamp: seconds(created),
      LastModifiedTimestamp: seconds(modified),
    };
    for (const name of SETTABLE) told[name] = valueOf(attributes, fifo, name);
    return Object.fromEntries(
      Object.entries(told).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
    );
  }

  return {
    async GetQueueAttributes(input, call) {
      const queue = requireQueue(documents, call, input.QueueUrl);
      const wanted: readonly string[] = input.AttributeNames ?? [];
      const unknown = wanted.find((name) => name !== "All" && !isAttribute(name));
      if (unknown !== undefined) throw sqsErrors.unknownAttribute(unknown);
      if (wanted.length === 0) return {};
      await expire(context, queue);
      const all = describe(queue);
      const chosen = wanted.includes("All")
        ? Object.entries(all)
        : Object.entries(all).filter(([name]) => wanted.includes(name));
      if (chosen.length === 0) return {};
      return { Attributes: Object.fromEntries(chosen) };
    },

    async SetQueueAttributes(input, call) {
      const queue = requireOwnQueue(documents, call, input.QueueUrl);
      const given = input.Attributes ?? {};
      if (Object.keys(given).length === 0) throw sqsErrors.missing("Attribute.Name");
      const { key } = queue.document;
      await revise<QueueDocument>(documents, key, (current) => {
        if (current === undefined) throw sqsErrors.queueMissing();
        const { fifo, attributes: before, name } = current.value;
        if (given.FifoQueue !== undefined && fifo && given.FifoQueue.toLowerCase() !== "true")
          throw sqsErrors.attributeValue("FifoQueue", "Modifying queue type is not supported.");
        const attributes = applyAttributes(before, given, fifo);
        if (given.RedrivePolicy !== undefined) checkDeadLetterQueue(documents, queue, name, fifo, attributes);
        return [
          { key, value: { ...current.value, attributes, modified: clock.now() } },
          ...sourceChanges(queue, name, before, attributes),
        ];
      });
      return {};
    },
  } satisfies OperationsOf<typeof client>;
}
