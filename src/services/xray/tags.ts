import type { Tag } from "@aws-sdk/client-xray";
import type { Change, DocumentKey, Documents } from "#storage/documents";
import type { Scope } from "./scope.ts";

type Tags = Readonly<Record<string, string>>;

export function tagsKey({ account, region }: Scope, arn: string): DocumentKey {
  return [account, region, "xray-tags", arn];
}

export function tagsOf(documents: Documents, scope: Scope, arn: string): Tags {
  return documents.get<Tags>(tagsKey(scope, arn))?.value ?? {};
}

/** The changes that give a new resource its tags. */
export function putTags(scope: Scope, arn: string, tags: readonly Tag[] | undefined): Change[] {
  if (tags === undefined || tags.length === 0) return [];
  return [{ key: tagsKey(scope, arn), value: asRecord(tags) }];
}

export function asRecord(tags: readonly Tag[]): Tags {
  return Object.fromEntries(tags.map(({ Key, Value }) => [Key ?? "", Value ?? ""]));
}
