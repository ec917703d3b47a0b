import type { LifecycleRule } from "@aws-sdk/client-s3";
import type { BucketDocument, ObjectDocument } from "../store.ts";

const DAY = 86_400_000;

/** What a rule looks at of an object. */
export type Subject = Pick<ObjectDocument, "size" | "tags">;

/** Whether a rule that is in force is about an object. */
export function concerns(rule: LifecycleRule, key: string, subject: Subject): boolean {
  if (rule.Status !== "Enabled") return false;
  const filter = rule.Filter ?? {};
  const and = filter.And ?? {};
  const tags = [...(filter.Tag === undefined ? [] : [filter.Tag]), ...(and.Tags ?? [])];
  const larger = filter.ObjectSizeGreaterThan ?? and.ObjectSizeGreaterThan;
  const smaller = filter.ObjectSizeLessThan ?? and.ObjectSizeLessThan;
  return (
    key.startsWith(prefixOf(rule)) &&
    tags.every(({ Key = "", Value }) => subject.tags?.[Key] === Value) &&
    (larger === undefined || subject.size > larger) &&
    (smaller === undefined || subject.size < smaller)
  );
}

/** What all keys that a rule is about begin with. */
export function prefixOf(rule: LifecycleRule): string {
  return rule.Filter?.And?.Prefix ?? rule.Filter?.Prefix ?? rule.Prefix ?? "";
}

/**
 * The midnight, UTC, that comes after `days` from `since` ("Setting lifecycle configuration on a bucket": S3 "rounds the
 * resulting time to the next day midnight UTC"). Epoch milliseconds.
 */
export function midnightAfter(since: number, days: number): number {
  return Math.ceil((since + days * DAY) / DAY) * DAY;
}

/** When a rule makes the current version of an object expire; `undefined` where it does not. */
export function expiryOf(rule: LifecycleRule, modified: number): number | undefined {
  const { Days, Date: date } = rule.Expiration ?? {};
  if (Days !== undefined) return midnightAfter(modified, Days);
  return date === undefined ? undefined : new Date(date).getTime();
}

/** The rule that makes an object expire first. */
export function firstExpiry(
  bucket: BucketDocument,
  key: string,
  object: Subject & Pick<ObjectDocument, "modified">,
): { readonly at: number; readonly rule: LifecycleRule } | undefined {
  let first: { readonly at: number; readonly rule: LifecycleRule } | undefined;
  for (const rule of bucket.settings.lifecycle ?? []) {
    const at = expiryOf(rule, object.modified);
    if (at === undefined || (first !== undefined && first.at <= at)) continue;
    if (concerns(rule, key, object)) first = { at, rule };
  }
  return first;
}

/** The header x-amz-expiration; `undefined` where nothing makes the object expire. */
export function expirationHeader(
  bucket: BucketDocument,
  key: string,
  object: Subject & Pick<ObjectDocument, "modified">,
): string | undefined {
  const first = firstExpiry(bucket, key, object);
  if (first === undefined) return undefined;
  const id = encodeURIComponent(first.rule.ID ?? "");
  return `expiry-date="${new Date(first.at).toUTCString()}", rule-id="${id}"`;
}
