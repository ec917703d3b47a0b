import type { Documents } from "#storage/documents";
import { findManagedPolicy, managedPolicyDocument } from "./managed-policies.ts";
import {
  keys,
  valuesUnder,
  type AttachmentDocument,
  type HolderKind,
  type InlinePolicyDocument,
  type PolicyDocument,
  type PolicyVersionDocument,
} from "./store.ts";

/** A policy that grants something to a role, a user or a group. */
export interface HeldPolicy {
  readonly name: string;
  readonly text: string;
  /** Of a managed policy. */
  readonly arn?: string;
  /** What it is inline in, or attached to. */
  readonly holder: { readonly kind: HolderKind; readonly name: string };
}

/** Inline and managed policies of a holder, then, of a user, those of its groups. */
export function* heldPolicies(
  documents: Documents,
  account: string,
  kind: HolderKind,
  name: string,
): Generator<HeldPolicy> {
  const holder = { kind, name };
  for (const inline of valuesUnder<InlinePolicyDocument>(documents, keys.inline(account, kind, name)))
    yield { name: inline.name, text: inline.document, holder };
  for (const { policyArn: arn } of valuesUnder<AttachmentDocument>(
    documents,
    keys.attached(account, kind, name),
  )) {
    const text = managedPolicyText(documents, account, arn);
    if (text !== undefined) yield { name: nameOfPolicy(arn), text, arn, holder };
  }
  if (kind !== "user") return;
  for (const { key } of documents.list(keys.memberships(account, name)))
    yield* heldPolicies(documents, account, "group", String(key.at(-1)));
}

/** What a managed policy says, AWS's own or the account's; `undefined` where there is none of that ARN. */
export function managedPolicyText(documents: Documents, account: string, arn: string): string | undefined {
  const aws = findManagedPolicy(arn);
  if (aws !== undefined) return managedPolicyDocument(aws);
  const policy = documents.get<PolicyDocument>(keys.policy(account, nameOfPolicy(arn)))?.value;
  if (policy === undefined) return undefined;
  const key = [...keys.versions(account, policy.name), policy.defaultVersion] as const;
  return documents.get<PolicyVersionDocument>(key)?.value.document;
}

export function nameOfPolicy(arn: string): string {
  return arn.slice(arn.lastIndexOf("/") + 1);
}
