import type * as client from "@aws-sdk/client-sqs";
import type { CallContext, OperationsOf } from "#wire/operation";
import { revise } from "../../revise.ts";
import type { SqsContext } from "../context.ts";
import { sqsErrors } from "../errors.ts";
import { addStatement, removeStatement } from "../permissions.ts";
import { requireOwnQueue, type FoundQueue, type QueueDocument } from "../store.ts";

/** Queue policies statement by statement; SetQueueAttributes sets a whole one. */
export function permissionOperations({ documents, clock }: SqsContext) {
  async function change(
    call: CallContext,
    url: string | undefined,
    decide: (queue: FoundQueue, policy: string | undefined) => string | undefined,
  ): Promise<Record<string, never>> {
    const queue = requireOwnQueue(documents, call, url);
    const { key } = queue.document;
    await revise<QueueDocument>(documents, key, (current) => {
      if (current === undefined) throw sqsErrors.queueMissing();
      const { Policy: before, ...others } = current.value.attributes;
      const Policy = decide(queue, before);
      const attributes = { ...others, ...(Policy === undefined ? {} : { Policy }) };
      return [{ key, value: { ...current.value, attributes, modified: clock.now() } }];
    });
    return {};
  }

  return {
    AddPermission(input, call) {
      const { QueueUrl, Label = "", AWSAccountIds = [], Actions = [] } = input;
      return change(call, QueueUrl, (queue, policy) =>
        addStatement(queue, policy, { label: Label, accounts: AWSAccountIds, actions: Actions }),
      );
    },

    RemovePermission(input, call) {
      return change(call, input.QueueUrl, (_queue, policy) => removeStatement(policy, input.Label ?? ""));
    },
  } satisfies OperationsOf<typeof client>;
}
