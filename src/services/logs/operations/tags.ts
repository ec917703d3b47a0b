import type * as client from "@aws-sdk/client-cloudwatch-logs";
import type { CallContext, Handler, OperationsOf } from "#wire/operation";
import { revise } from "../../revise.ts";
import type { LogsDeps } from "../deps.ts";
import { logsErrors } from "../errors.ts";
import { LIMITS } from "../limits.ts";
import type { LogGroupDocument } from "../store.ts";
import { groupKey, groupOfIdentifier, requireGroup } from "../store.ts";

type Logs = typeof client;

type Tags = Readonly<Record<string, string>>;

/** Tags of log groups, by ARN and, for older clients, by name. */
export function tagOperations({ documents }: LogsDeps) {
  async function setTags(call: CallContext, group: string, change: (tags: Tags) => Tags): Promise<void> {
    const key = groupKey(call, group);
    await revise<LogGroupDocument>(documents, key, (current) => {
      if (current === undefined) throw logsErrors.groupMissing();
      const tags = change(current.value.tags);
      if (Object.keys(tags).length > LIMITS.tags) throw logsErrors.tooManyTags();
      return [{ key, value: { ...current.value, tags } }];
    });
  }

  function resource(call: CallContext, arn: string | undefined): string {
    if (arn?.startsWith("arn:") !== true) throw logsErrors.resourceMissing();
    return groupOfIdentifier(call, arn);
  }

  const TagResource: Handler<Logs, "TagResource"> = async (input, call) => {
    await setTags(call, resource(call, input.resourceArn), (tags) => ({ ...tags, ...input.tags }));
    return {};
  };

  const UntagResource: Handler<Logs, "UntagResource"> = async (input, call) => {
    await setTags(call, resource(call, input.resourceArn), (tags) => without(tags, input.tagKeys ?? []));
    return {};
  };

  const ListTagsForResource: Handler<Logs, "ListTagsForResource"> = (input, call) => ({
    tags: requireGroup(documents, call, resource(call, input.resourceArn)).value.tags,
  });

  const TagLogGroup: Handler<Logs, "TagLogGroup"> = async (input, call) => {
    await setTags(call, input.logGroupName ?? "", (tags) => ({ ...tags, ...input.tags }));
    return {};
  };

  const UntagLogGroup: Handler<Logs, "UntagLogGroup"> = async (input, call) => {
    await setTags(call, input.logGroupName ?? "", (tags) => without(tags, input.tags ?? []));
    return {};
  };

  const ListTagsLogGroup: Handler<Logs, "ListTagsLogGroup"> = (input, call) => ({
    tags: requireGroup(documents, call, input.logGroupName ?? "").value.tags,
  });

  return {
    TagResource,
    UntagResource,
    ListTagsForResource,
    TagLogGroup,
    UntagLogGroup,
    ListTagsLogGroup,
  } satisfies OperationsOf<Logs>;
}

function without(tags: Tags, keys: readonly string[]): Tags {
  return Object.fromEntries(Object.entries(tags).filter(([key]) => !keys.includes(key)));
}
