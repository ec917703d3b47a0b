import type * as client from "@aws-sdk/client-s3";
import { s3Errors } from "./errors.ts";
import { LIMITS } from "./limits.ts";
import type { Tags } from "./store.ts";

const KEY = /^[\p{L}\p{Z}\p{N}_.:/=+\-@]{1,128}$/u;
const VALUE = /^[\p{L}\p{Z}\p{N}_.:/=+\-@]{0,256}$/u;

/** Whose tags are set, which S3 words differently. */
export type Tagged = "object" | "bucket" | "new-bucket";

/** Keys that begin with `aws:` are AWS's own (each wording recorded). */
const RESERVED: Readonly<Record<Tagged, string>> = {
  object: "Your TagKey cannot be prefixed with aws:",
  bucket: "System tags cannot be added/updated by requester",
  "new-bucket":
    'User-defined tag keys can\'t start with "aws:". This prefix is reserved for system tags. Remove "aws:" from your tag keys and try again.',
};

/** @throws AwsError MalformedXML, InvalidTag, BadRequest */
export function readTagSet(set: readonly client.Tag[] | undefined, of: Tagged): Tags {
  const tags = new Map<string, string>();
  for (const { Key, Value } of set ?? []) {
    if (Key === undefined || Value === undefined) throw s3Errors.malformedXml();
    if (Key.startsWith("aws:"))
      throw s3Errors.invalidTag(RESERVED[of], of === "new-bucket" ? {} : { TagKey: Key });
    if (!KEY.test(Key)) throw s3Errors.invalidTag("The TagKey you have provided is invalid", { TagKey: Key });
    if (!VALUE.test(Value))
      throw s3Errors.invalidTag("The TagValue you have provided is invalid", {
        TagKey: Key,
        TagValue: Value,
      });
    if (tags.has(Key))
      throw s3Errors.invalidTag("Cannot provide multiple Tags with the same key", { TagKey: Key });
    tags.set(Key, Value);
  }
  const most = of === "object" ? LIMITS.objectTags : LIMITS.bucketTags;
  if (tags.size > most) throw s3Errors.badTagCount(most);
  return Object.fromEntries(tags);
}

/** Tags of the header x-amz-tagging, `key=value&…`. @throws AwsError InvalidArgument, InvalidTag */
export function readTagHeader(header: string | undefined): Tags | undefined {
  if (header === undefined || header === "") return undefined;
  const set: { Key: string; Value: string }[] = [];
  for (const [Key, Value] of new URLSearchParams(header)) set.push({ Key, Value });
  const names = new Set(set.map(({ Key }) => Key));
  if (names.size < set.length || set.some(({ Key, Value }) => !KEY.test(Key) || !VALUE.test(Value)))
    throw s3Errors.invalidArgument(
      "The header 'x-amz-tagging' shall be encoded as UTF-8 then URLEncoded URL query parameters without tag name duplicates.",
      "x-amz-tagging",
      header,
    );
  return readTagSet(set, "object");
}

export function writeTagSet(tags: Tags | undefined): { Key: string; Value: string }[] {
  return Object.entries(tags ?? {}).map(([Key, Value]) => ({ Key, Value }));
}
