import type * as client from "@aws-sdk/client-xray";
import type { CallContext, Handler, OperationsOf } from "#wire/operation";
import { revise } from "../../revise.ts";
import type { XRayDeps } from "../deps.ts";
import { xrayErrors } from "../errors.ts";
import { groupArn, listGroups } from "../groups.ts";
import { LIMITS } from "../limits.ts";
import { listRules, ruleArn } from "../sampling.ts";
import { asRecord, tagsKey, tagsOf } from "../tags.ts";
import { pageOf } from "../tokens.ts";

type XRay = typeof client;
type Tags = Readonly<Record<string, string>>;

/** Tags of groups and sampling rules. */
export function tagOperations({ documents }: XRayDeps) {
  function requireResource(call: CallContext, arn = ""): string {
    const arns = [
      ...[...listGroups(documents, call)].map((group) => groupArn(call, group)),
      ...[...listRules(documents, call)].map(({ name }) => ruleArn(call, name)),
    ];
    if (!arns.includes(arn)) throw xrayErrors.resourceMissing(arn);
    return arn;
  }

  async function change(call: CallContext, arn: string, next: (tags: Tags) => Tags): Promise<void> {
    const key = tagsKey(call, arn);
    await revise<Tags>(documents, key, (current) => {
      const value = next(current?.value ?? {});
      if (Object.keys(value).length > LIMITS.tags) throw xrayErrors.tooManyTags(arn);
      return [{ key, value }];
    });
  }

  const TagResource: Handler<XRay, "TagResource"> = async (input, call) => {
    const arn = requireResource(call, input.ResourceARN);
    await change(call, arn, (tags) => ({ ...tags, ...asRecord(input.Tags ?? []) }));
    return {};
  };

  const UntagResource: Handler<XRay, "UntagResource"> = async (input, call) => {
    const arn = requireResource(call, input.ResourceARN);
    const gone = new Set(input.TagKeys);
    await change(call, arn, (tags) =>
      Object.fromEntries(Object.entries(tags).filter(([key]) => !gone.has(key))),
    );
    return {};
  };

  const ListTagsForResource: Handler<XRay, "ListTagsForResource"> = (input, call) => {
    const arn = requireResource(call, input.ResourceARN);
    const tags = Object.entries(tagsOf(documents, call, arn)).map(([Key, Value]) => ({ Key, Value }));
    const { page, next } = pageOf(tags, input.NextToken, LIMITS.page);
    return { Tags: page, ...next };
  };

  return { TagResource, UntagResource, ListTagsForResource } satisfies OperationsOf<XRay>;
}
