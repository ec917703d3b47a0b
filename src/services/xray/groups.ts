import type { DocumentKey, Documents } from "#storage/documents";
import type { Scope } from "./scope.ts";

/** Every account has it, and it holds every trace. */
export const DEFAULT_GROUP = "Default";

export interface GroupDocument {
  readonly name: string;
  /** The part of its ARN that tells it from one of its name that was deleted. */
  readonly id: string;
  readonly filter: string;
  readonly insights: boolean;
  readonly notifications: boolean;
}

export function groupKey({ account, region }: Scope, name: string): DocumentKey {
  return [account, region, "xray-group", name];
}

export function groupArn(
  { account, region }: Scope,
  { name, id }: Pick<GroupDocument, "name" | "id">,
): string {
  return `arn:aws:xray:${region}:${account}:group/${name}/${id}`;
}

export function groupByName(documents: Documents, scope: Scope, name: string): GroupDocument | undefined {
  const found = documents.get<GroupDocument>(groupKey(scope, name))?.value;
  return found ?? (name === DEFAULT_GROUP ? defaultGroup() : undefined);
}

export function* listGroups(documents: Documents, scope: Scope): Generator<GroupDocument> {
  const stored = [...documents.list<GroupDocument>([scope.account, scope.region, "xray-group"])];
  if (!stored.some(({ value }) => value.name === DEFAULT_GROUP)) yield defaultGroup();
  for (const { value } of stored) yield value;
}

function defaultGroup(): GroupDocument {
  return { name: DEFAULT_GROUP, id: "DEFAULT", filter: "", insights: false, notifications: false };
}
