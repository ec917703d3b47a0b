import type * as client from "@aws-sdk/client-sqs";
import type { CallContext, OperationsOf } from "#wire/operation";
import { revise } from "../../revise.ts";
import type { SqsContext } from "../context.ts";
import { sqsErrors } from "../errors.ts";
import { requireOwnQueue, type QueueDocument } from "../store.ts";
import { checkTags } from "../tags.ts";

type Tags = Readonly<Record<string, string>>;

export function tagOperations({ documents }: SqsContext) {
  async function change(
    call: CallContext,
    url: string | undefined,
    decide: (tags: Tags) => Tags,
  ): Promise<Record<string, never>> {
    const { key } = requireOwnQueue(documents, call, url).document;
    await revise<QueueDocument>(documents, key, (current) => {
      if (current === undefined) throw sqsErrors.queueMissing();
      return [{ key, value: { ...current.value, tags: decide(current.value.tags) } }];
    });
    return {};
  }

  return {
    ListQueueTags(input, call) {
      const { tags } = requireOwnQueue(documents, call, input.QueueUrl).settings;
      return Object.keys(tags).length === 0 ? {} : { Tags: tags };
    },

    TagQueue(input, call) {
      const given = input.Tags ?? {};
      if (Object.keys(given).length === 0) throw sqsErrors.missing("Tags");
      return change(call, input.QueueUrl, (tags) => {
        const next = { ...tags, ...given };
        checkTags(next);
        return next;
      });
    },

    UntagQueue(input, call) {
      const keys = input.TagKeys ?? [];
      if (keys.length === 0)
        throw sqsErrors.parameter("Tag keys must be between 1 and 128 characters in length.");
      return change(call, input.QueueUrl, (tags) =>
        Object.fromEntries(Object.entries(tags).filter(([key]) => !keys.includes(key))),
      );
    },
  } satisfies OperationsOf<typeof client>;
}
