import type * as client from "@aws-sdk/client-sqs";
import type { OperationsOf } from "#wire/operation";
import type { SqsContext } from "../context.ts";
import { sqsErrors } from "../errors.ts";
import { LIMITS } from "../limits.ts";
import { readPageToken, writePageToken } from "../pages.ts";
import { queueUrl } from "../queue-url.ts";
import { keys, requireQueue } from "../store.ts";

export function deadLetterOperations({ documents }: SqsContext) {
  return {
    ListDeadLetterSourceQueues(input, call) {
      const queue = requireQueue(documents, call, input.QueueUrl);
      const { MaxResults, NextToken } = input;
      if (MaxResults !== undefined && (MaxResults < 1 || MaxResults > LIMITS.listPage))
        throw sqsErrors.value(MaxResults, "MaxResults", "MaxResults must be an integer between 1 and 1000.");
      if (NextToken !== undefined && MaxResults === undefined)
        throw sqsErrors.parameter(
          "MaxResults is a mandatory parameter when you provide a value for NextToken.",
        );
      const limit = MaxResults ?? LIMITS.listPage;
      const place = { account: queue.account, region: queue.region };
      const start = NextToken === undefined ? undefined : readPageToken(NextToken);
      const names = [
        ...documents.list([queue.account, queue.region, "sqs-source", queue.name], {
          limit: limit + 1,
          ...(start === undefined ? {} : { after: keys.source(place, queue.name, start) }),
        }),
      ].map(({ key }) => String(key.at(-1)));
      const shown = names.slice(0, limit);
      const more = MaxResults !== undefined && names.length > limit;
      return {
        queueUrls: shown.map((name) => queueUrl(call, { account: queue.account, name })),
        ...(more ? { NextToken: writePageToken(shown.at(-1) ?? "") } : {}),
      };
    },
  } satisfies OperationsOf<typeof client>;
}
