import type { Tag } from "@aws-sdk/client-sns";
import { snsErrors } from "./errors.ts";
import { LIMITS } from "./limits.ts";
import type { Attributes } from "./store.ts";

/** @throws AwsError InvalidParameter for a key that stands twice or is AWS's own, TagLimitExceeded */
export function addTags(current: Attributes, given: readonly Tag[] | undefined): Attributes {
  const added = (given ?? []).map(({ Key = "", Value = "" }) => [Key, Value] as const);
  if (new Set(added.map(([key]) => key)).size < added.length)
    throw snsErrors.parameter("Duplicated keys are not allowed.");
  // As AWS's services word it that have their tags checked in one place; SNS's own wording is not recorded.
  if (added.some(([key]) => /^aws:/i.test(key)))
    throw snsErrors.parameter("Tags", "aws: prefixed tag key names are not allowed for external use.");
  const tags = { ...current, ...Object.fromEntries(added) };
  if (Object.keys(tags).length > LIMITS.tags) throw snsErrors.tags();
  return tags;
}

export function tagList(tags: Attributes): Tag[] {
  return Object.entries(tags).map(([Key, Value]) => ({ Key, Value }));
}
