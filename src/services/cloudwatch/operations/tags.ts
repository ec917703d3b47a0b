import type * as client from "@aws-sdk/client-cloudwatch";
import { parseArn } from "#core/arn";
import type { CallContext, Handler, OperationsOf } from "#wire/operation";
import { findAlarm } from "../alarms/records.ts";
import type { CloudWatchDeps } from "../deps.ts";
import { cloudwatchErrors } from "../errors.ts";
import { addTags, readTags, removeTags } from "../tags.ts";

type CloudWatch = typeof client;

/** Tags of alarms; nothing else of CloudWatch's that is built here has any. */
export function tagOperations({ documents }: CloudWatchDeps) {
  function requireResource(call: CallContext, text = ""): string {
    const arn = parseArn(text);
    if (arn?.service !== "cloudwatch") throw cloudwatchErrors.invalid("ResourceARN", text);
    const own = arn.account === call.account && arn.region === call.region;
    const [kind, name] = [arn.resource.slice(0, "alarm:".length), arn.resource.slice("alarm:".length)];
    if (!own || kind !== "alarm:" || findAlarm(documents, call, name) === undefined)
      throw cloudwatchErrors.resourceMissing("Unknown");
    return text;
  }

  const TagResource: Handler<CloudWatch, "TagResource"> = async ({ ResourceARN, Tags = [] }, call) => {
    await addTags(documents, call, requireResource(call, ResourceARN), Tags);
    return {};
  };

  const UntagResource: Handler<CloudWatch, "UntagResource"> = async ({ ResourceARN, TagKeys = [] }, call) => {
    await removeTags(documents, call, requireResource(call, ResourceARN), TagKeys);
    return {};
  };

  /** Recorded: of a resource that was deleted, the answer is an empty list. */
  const ListTagsForResource: Handler<CloudWatch, "ListTagsForResource"> = ({ ResourceARN = "" }, call) => {
    if (parseArn(ResourceARN)?.service !== "cloudwatch")
      throw cloudwatchErrors.invalid("ResourceARN", ResourceARN);
    return { Tags: [...readTags(documents, call, ResourceARN)] };
  };

  return { TagResource, UntagResource, ListTagsForResource } satisfies OperationsOf<CloudWatch>;
}
