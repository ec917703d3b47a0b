import type { Change, DocumentKey, Documents } from "#storage/documents";
import { iamErrors } from "./errors.ts";
import { findPolicy, policyExists, REGION, unchanged } from "./store.ts";

type Bounded = "role" | "user";

/** Under the policy: whose boundary it is. The last element is the holder's name. */
function usesKey(account: string, arn: string, kind: Bounded): DocumentKey {
  return [account, REGION, `policy-${kind}-boundary`, arn];
}

/**
 * What changes under policies where a holder's permissions boundary changes. The new policy is written, too, so that it is
 * not deleted meanwhile.
 * @param before of the holder as it is; `after` of the holder as it will be: undefined without a boundary
 * @throws AwsError NoSuchEntity where there is no such policy
 */
export function boundaryChanges(
  documents: Documents,
  account: string,
  kind: Bounded,
  before: { readonly name: string; readonly arn: string | undefined },
  after: { readonly name: string; readonly arn: string | undefined },
): Change[] {
  const same = before.arn === after.arn && before.name === after.name;
  const changes: Change[] = [];
  if (before.arn !== undefined && !same)
    changes.push({ key: [...usesKey(account, before.arn, kind), before.name], delete: true });
  if (after.arn === undefined) return changes;
  if (after.arn !== before.arn && !policyExists(documents, account, after.arn))
    throw iamErrors.policyNotAttachable(after.arn);
  const policy = findPolicy(documents, account, after.arn);
  if (policy !== undefined) changes.push(unchanged(policy));
  changes.push({ key: [...usesKey(account, after.arn, kind), after.name], value: true });
  return changes;
}

/** The names of the roles or users whose boundary a policy is. */
export function boundBy(documents: Documents, account: string, arn: string, kind: Bounded): string[] {
  return Array.from(documents.list(usesKey(account, arn, kind)), ({ key }) => String(key.at(-1)));
}

export function boundaryUses(documents: Documents, account: string, arn: string): number {
  return (["role", "user"] as const).flatMap((kind) => boundBy(documents, account, arn, kind)).length;
}
