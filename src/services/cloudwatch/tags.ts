import type * as client from "@aws-sdk/client-cloudwatch";
import type { Change, DocumentKey, Documents } from "#storage/documents";
import { revise } from "../revise.ts";
import type { Scope } from "./data/metric.ts";
import { cloudwatchErrors } from "./errors.ts";
import { LIMITS } from "./limits.ts";

type Tags = Readonly<Record<string, string>>;

/** Tags are kept beside what they belong to, under its ARN. */
export function tagsKey({ account, region }: Scope, arn: string): DocumentKey {
  return [account, region, "cloudwatch-tags", arn];
}

export function readTags(documents: Documents, scope: Scope, arn: string): readonly client.Tag[] {
  const tags = documents.get<Tags>(tagsKey(scope, arn))?.value ?? {};
  return Object.entries(tags).map(([Key, Value]) => ({ Key, Value }));
}

/** The change that gives a new resource its tags; none where it has none. */
export function initialTags(scope: Scope, arn: string, tags: readonly client.Tag[] = []): readonly Change[] {
  if (tags.length === 0) return [];
  return [{ key: tagsKey(scope, arn), value: merged({}, tags) }];
}

/** @throws AwsError where a resource would have more than 50 tags */
export async function addTags(
  documents: Documents,
  scope: Scope,
  arn: string,
  tags: readonly client.Tag[],
): Promise<void> {
  const key = tagsKey(scope, arn);
  await revise<Tags>(documents, key, (current) => [{ key, value: merged(current?.value ?? {}, tags) }]);
}

export async function removeTags(
  documents: Documents,
  scope: Scope,
  arn: string,
  keys: readonly string[],
): Promise<void> {
  const key = tagsKey(scope, arn);
  await revise<Tags>(documents, key, (current) => {
    const left = Object.entries(current?.value ?? {}).filter(([name]) => !keys.includes(name));
    if (current === undefined) return [];
    return [left.length === 0 ? { key, delete: true } : { key, value: Object.fromEntries(left) }];
  });
}

function merged(known: Tags, tags: readonly client.Tag[]): Tags {
  const all = { ...known, ...Object.fromEntries(tags.map(({ Key = "", Value = "" }) => [Key, Value])) };
  if (Object.keys(all).length > LIMITS.tags)
    throw cloudwatchErrors.validation(`A resource cannot have more than ${LIMITS.tags} tags.`);
  return all;
}
