import type { Change, Document, DocumentKey, DocumentPrefix, Documents } from "#storage/documents";
import { parseArn } from "#core/arn";
import { iamErrors } from "./errors.ts";
import { LIMITS } from "./limits.ts";
import { findManagedPolicy } from "./managed-policies.ts";

/** IAM is global: all its documents lie in one pseudo region of the account. */
export const REGION = "aws-global";

export type Tags = Readonly<Record<string, string>>;

export interface RoleDocument {
  readonly name: string;
  readonly id: string;
  readonly path: string;
  /** Epoch milliseconds. */
  readonly created: number;
  readonly assumeRolePolicy: string;
  readonly description?: string;
  readonly maxSessionSeconds: number;
  readonly permissionsBoundary?: string;
  readonly tags: Tags;
}

export interface PolicyDocument {
  readonly name: string;
  readonly id: string;
  readonly path: string;
  readonly created: number;
  readonly updated: number;
  readonly description?: string;
  readonly defaultVersion: number;
  /** The number of the version made last; numbers are never used again. */
  readonly lastVersion: number;
  readonly tags: Tags;
}

export interface PolicyVersionDocument {
  readonly number: number;
  readonly created: number;
  readonly document: string;
}

export interface InlinePolicyDocument {
  readonly name: string;
  readonly document: string;
}

/** What policies are attached to. */
export type HolderKind = "role" | "user" | "group";

/**
 * Kept twice, under the holder and under the policy, so that both directions are a scan. The last elements of the keys
 * are the policy's ARN, and the holder's name.
 */
export interface AttachmentDocument {
  readonly policyArn: string;
}

export interface UserDocument {
  readonly name: string;
  /** `AIDA…` */
  readonly id: string;
  readonly path: string;
  readonly created: number;
  readonly permissionsBoundary?: string;
  readonly tags: Tags;
}

export interface GroupDocument {
  readonly name: string;
  /** `AGPA…` */
  readonly id: string;
  readonly path: string;
  readonly created: number;
}

export interface AccessKeyDocument {
  readonly id: string;
  readonly secret: string;
  readonly user: string;
  readonly created: number;
  readonly active: boolean;
}

export interface SigningCertificateDocument {
  readonly id: string;
  /** As it was uploaded, in PEM. */
  readonly body: string;
  readonly fingerprint: string;
  readonly uploaded: number;
  readonly active: boolean;
}

// Names are unique whatever their case (IAM user guide, "IAM identifiers").
export const keys = {
  roles: (account: string) => [account, REGION, "role"] as const,
  role: (account: string, name: string): DocumentKey => [account, REGION, "role", name.toLowerCase()],
  inline: (account: string, kind: HolderKind, name: string): DocumentKey => [
    account,
    REGION,
    `${kind}-policy`,
    name.toLowerCase(),
  ],
  attached: (account: string, kind: HolderKind, name: string): DocumentKey => [
    account,
    REGION,
    `${kind}-attachment`,
    name.toLowerCase(),
  ],
  policies: (account: string) => [account, REGION, "policy"] as const,
  policy: (account: string, name: string): DocumentKey => [account, REGION, "policy", name.toLowerCase()],
  versions: (account: string, policy: string): DocumentKey => [
    account,
    REGION,
    "policy-version",
    policy.toLowerCase(),
  ],
  entities: (account: string, arn: string, kind: HolderKind): DocumentKey => [
    account,
    REGION,
    kind === "role" ? "policy-attachment" : `policy-${kind}-attachment`,
    arn,
  ],
  users: (account: string) => [account, REGION, "user"] as const,
  user: (account: string, name: string): DocumentKey => [account, REGION, "user", name.toLowerCase()],
  groups: (account: string) => [account, REGION, "group"] as const,
  group: (account: string, name: string): DocumentKey => [account, REGION, "group", name.toLowerCase()],
  /** Both directions of a membership. */
  members: (account: string, group: string): DocumentKey => [
    account,
    REGION,
    "group-member",
    group.toLowerCase(),
  ],
  memberships: (account: string, user: string): DocumentKey => [
    account,
    REGION,
    "user-group",
    user.toLowerCase(),
  ],
  instanceProfiles: (account: string) => [account, REGION, "instance-profile"] as const,
  instanceProfile: (account: string, name: string): DocumentKey => [
    account,
    REGION,
    "instance-profile",
    name.toLowerCase(),
  ],
  /** By id, which says the account. */
  accessKey: (account: string, id: string): DocumentKey => [account, REGION, "access-key", id],
  userKeys: (account: string, user: string): DocumentKey => [
    account,
    REGION,
    "user-access-key",
    user.toLowerCase(),
  ],
  /** By the id of a role, a user or an access key. Written now and then: no decision depends on it. */
  lastUsed: (account: string, id: string): DocumentKey => [account, REGION, "last-used", id],
} as const;

export function roleArn(account: string, role: Pick<RoleDocument, "path" | "name">): string {
  return `arn:aws:iam::${account}:role${role.path}${role.name}`;
}

export function userArn(account: string, user: Pick<UserDocument, "path" | "name">): string {
  return `arn:aws:iam::${account}:user${user.path}${user.name}`;
}

export function groupArn(account: string, group: Pick<GroupDocument, "path" | "name">): string {
  return `arn:aws:iam::${account}:group${group.path}${group.name}`;
}

export function policyArn(account: string, policy: Pick<PolicyDocument, "path" | "name">): string {
  return `arn:aws:iam::${account}:policy${policy.path}${policy.name}`;
}

export function requireRole(documents: Documents, account: string, name = ""): Document<RoleDocument> {
  const document = documents.get<RoleDocument>(keys.role(account, name));
  if (document === undefined || document.value.name !== name) throw iamErrors.roleMissing(name);
  return document;
}

export function requireUser(documents: Documents, account: string, name = ""): Document<UserDocument> {
  const document = documents.get<UserDocument>(keys.user(account, name));
  if (document === undefined || document.value.name !== name) throw iamErrors.userMissing(name);
  return document;
}

export function requireGroup(documents: Documents, account: string, name = ""): Document<GroupDocument> {
  const document = documents.get<GroupDocument>(keys.group(account, name));
  if (document === undefined || document.value.name !== name) throw iamErrors.groupMissing(name);
  return document;
}

/** @throws AwsError NoSuchEntity */
export function requireHolder(
  documents: Documents,
  kind: HolderKind,
  account: string,
  name = "",
): Document<RoleDocument | UserDocument | GroupDocument> {
  if (kind === "role") return requireRole(documents, account, name);
  return kind === "user" ? requireUser(documents, account, name) : requireGroup(documents, account, name);
}

/** What an ARN names, whether it is there or not; `undefined` where that is no holder of policies. */
export function holderOfArn(arn: string): { readonly kind: HolderKind; readonly name: string } | undefined {
  const parts = parseArn(arn)?.resource.split("/") ?? [];
  const [kind, name] = [parts[0], parts.at(-1)];
  if (name === undefined || (kind !== "role" && kind !== "user" && kind !== "group")) return undefined;
  return { kind, name };
}

/** The names of the holders that a policy is attached to. */
export function attachedTo(documents: Documents, account: string, arn: string, kind: HolderKind): string[] {
  return Array.from(documents.list(keys.entities(account, arn, kind)), ({ key }) => String(key.at(-1)));
}

/** The customer's policy that an ARN names, if it is there. @throws AwsError ValidationError where the ARN is none */
export function findPolicy(
  documents: Documents,
  account: string,
  arn = "",
): Document<PolicyDocument> | undefined {
  const parsed = parseArn(arn);
  if (parsed?.service !== "iam" || !parsed.resource.startsWith("policy/")) throw iamErrors.invalidArn();
  const name = parsed.resource.slice(parsed.resource.lastIndexOf("/") + 1);
  const document = documents.get<PolicyDocument>(keys.policy(account, name));
  return document !== undefined && policyArn(account, document.value) === arn ? document : undefined;
}

/** Whether an ARN names a policy that may be attached. @throws AwsError ValidationError */
export function policyExists(documents: Documents, account: string, arn = ""): boolean {
  return findPolicy(documents, account, arn) !== undefined || findManagedPolicy(arn) !== undefined;
}

export function requirePolicy(documents: Documents, account: string, arn = ""): Document<PolicyDocument> {
  const document = findPolicy(documents, account, arn);
  if (document === undefined) throw iamErrors.policyMissing(arn);
  return document;
}

/** The role itself in a commit on what hangs from it: unchanged, on condition that nobody touched it meanwhile. */
export function unchanged<T>(document: Document<T>) {
  return { key: document.key, value: document.value, expected: document.revision };
}

/** The changes that give a document another key; the same one where names differ in nothing that keys heed. */
export function moveDocument(from: DocumentKey, to: DocumentKey, value: unknown): Change[] {
  const put = { key: to, value };
  return JSON.stringify(from) === JSON.stringify(to) ? [put] : [{ key: from, delete: true }, put];
}

export interface Paging {
  readonly Marker?: string | undefined;
  readonly MaxItems?: number | undefined;
}

/** A page of `items`, which come in ascending order of `orderOf`; the marker is the last shown item's place, encoded. */
export function paginate<T>(input: Paging, items: Iterable<T>, orderOf: (item: T) => string) {
  const limit = input.MaxItems ?? LIMITS.pageItems;
  const after =
    input.Marker === undefined ? undefined : Buffer.from(input.Marker, "base64url").toString("utf8");
  if (after === "") throw iamErrors.invalidMarker();
  const page: T[] = [];
  for (const item of items) {
    if (after !== undefined && orderOf(item) <= after) continue;
    page.push(item);
    if (page.length > limit) break;
  }
  const more = page.length > limit;
  const shown = more ? page.slice(0, limit) : page;
  const last = shown.at(-1);
  return {
    items: shown,
    paging: {
      IsTruncated: more,
      ...(more && last !== undefined ? { Marker: Buffer.from(orderOf(last)).toString("base64url") } : {}),
    },
  };
}

export function* where<T>(items: Iterable<T>, test: (item: T) => boolean): Generator<T> {
  for (const item of items) if (test(item)) yield item;
}

export function* valuesUnder<T>(documents: Documents, prefix: DocumentPrefix): Generator<T> {
  for (const { value } of documents.list<T>(prefix)) yield value;
}

interface ClientTag {
  readonly Key: string | undefined;
  readonly Value: string | undefined;
}

/** @throws AwsError InvalidInput, LimitExceeded */
export function addTags(tags: Tags, added: readonly ClientTag[] | undefined): Tags {
  const names = (added ?? []).map(({ Key }) => (Key ?? "").toLowerCase());
  if (new Set(names).size < names.length) throw iamErrors.duplicateTags();
  const kept = Object.entries(tags).filter(([key]) => !names.includes(key.toLowerCase()));
  const all = [...kept, ...(added ?? []).map(({ Key, Value }) => [Key ?? "", Value ?? ""] as const)];
  if (all.length > LIMITS.tags) throw iamErrors.quota("TagsPerResource", LIMITS.tags);
  return Object.fromEntries(all);
}

export function removeTags(tags: Tags, names: readonly string[] | undefined): Tags {
  const gone = new Set((names ?? []).map((name) => name.toLowerCase()));
  return Object.fromEntries(Object.entries(tags).filter(([key]) => !gone.has(key.toLowerCase())));
}

/** Tags as responses list them, in order of their keys. */
export function tagList(tags: Tags): { Key: string; Value: string }[] {
  return Object.entries(tags)
    .map(([Key, Value]) => ({ Key, Value }))
    .sort((a, b) => (a.Key < b.Key ? -1 : Number(a.Key > b.Key)));
}

/** The member of a response that leaves it out where there are no tags. */
export function tagMember(tags: Tags): { Tags?: { Key: string; Value: string }[] } {
  const Tags = tagList(tags);
  return Tags.length === 0 ? {} : { Tags };
}
