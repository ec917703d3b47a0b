import { createHash } from "node:crypto";
import type * as client from "@aws-sdk/client-s3";
import type { Document, DocumentKey, Documents } from "#storage/documents";
import type { Algorithm } from "./checksums/algorithms.ts";
import { s3Errors } from "./errors.ts";
import type { MetricsConfiguration } from "./metrics/configuration.ts";

/** Where a bucket's documents lie: the account that owns it and the region that it is in. */
export interface Scope {
  readonly account: string;
  readonly region: string;
}

/** Bucket names are unique among all accounts: who took one. */
export interface BucketName extends Scope {
  /** The bucket's id: a bucket that is made anew under an old name has another one. */
  readonly id: string;
}

export type Ownership = "BucketOwnerEnforced" | "BucketOwnerPreferred" | "ObjectWriter";

/** What was put of a bucket's subresources, as it was put. */
export interface BucketSettings {
  readonly versioning?: "Enabled" | "Suspended";
  readonly tags?: Tags;
  readonly ownership?: Ownership;
  readonly acl?: readonly client.Grant[];
  readonly publicAccessBlock?: client.PublicAccessBlockConfiguration;
  readonly policy?: string;
  readonly cors?: readonly client.CORSRule[];
  readonly encryption?: client.ServerSideEncryptionConfiguration;
  readonly lifecycle?: readonly client.LifecycleRule[];
  readonly lifecycleMinimumSize?: client.TransitionDefaultMinimumObjectSize;
  readonly notification?: client.NotificationConfiguration;
  readonly payer?: client.Payer;
  readonly metrics?: readonly MetricsConfiguration[];
}

export interface BucketDocument extends Scope {
  readonly name: string;
  readonly id: string;
  /** Epoch milliseconds. */
  readonly created: number;
  /** As it was asked for: `EU` stays `EU`. Absent in us-east-1. */
  readonly locationConstraint?: string;
  readonly settings: BucketSettings;
}

export type Tags = Readonly<Record<string, string>>;

export interface Checksum {
  readonly algorithm: Algorithm;
  /** Base64, without the number of parts. */
  readonly value: string;
  readonly type: "FULL_OBJECT" | "COMPOSITE";
}

/** Where an object's bytes are: in one piece, or in the parts of the upload that made it. */
export type Data =
  | { readonly kind: "whole"; readonly id: string }
  | { readonly kind: "parts"; readonly upload: string; readonly count: number };

/** Headers that an object was put with and is answered with, by the name of their member. */
export interface StoredHeaders {
  readonly ContentType?: string;
  readonly CacheControl?: string;
  readonly ContentDisposition?: string;
  readonly ContentEncoding?: string;
  readonly ContentLanguage?: string;
  readonly Expires?: string;
  readonly WebsiteRedirectLocation?: string;
}

/** A version of an object. */
export interface ObjectDocument {
  /** `null` of one that was put without versioning. */
  readonly versionId: string;
  /** Its place among the versions of its key, newest lowest; absent where it was put without versioning. */
  readonly order?: number;
  /** Epoch milliseconds, whole seconds: HTTP dates have no more. */
  readonly modified: number;
  readonly size: number;
  /** Without quotes. */
  readonly etag: string;
  readonly data: Data;
  readonly checksum: Checksum;
  readonly storageClass: client.StorageClass;
  readonly headers: StoredHeaders;
  readonly metadata: Readonly<Record<string, string>>;
  readonly tags?: Tags;
  readonly acl?: readonly client.Grant[];
}

/** Says that its key is deleted, as of its place among the versions. */
export interface DeleteMarkerDocument {
  readonly versionId: string;
  readonly order: number;
  readonly modified: number;
  readonly deleteMarker: true;
}

export type VersionDocument = ObjectDocument | DeleteMarkerDocument;

export function isDeleteMarker(version: VersionDocument): version is DeleteMarkerDocument {
  return "deleteMarker" in version;
}

/** Times of versions are whole seconds, because the HTTP dates that conditions name them by are. */
export function wholeSeconds(ms: number): number {
  return Math.floor(ms / 1000) * 1000;
}

const SHARED = ["s3", "global"] as const;

export const keys = {
  /** Names of all accounts' buckets. */
  bucketName: (name: string): DocumentKey => [...SHARED, "bucket-name", name],
  /** Accounts and regions that have or had a bucket, for what looks after all of them. */
  place: ({ account, region }: Scope): DocumentKey => [...SHARED, "place", account, region],
  places: [...SHARED, "place"] as const,
  bucket: ({ account, region }: Scope, name: string): DocumentKey => [account, region, "s3-bucket", name],
  buckets: ({ account, region }: Scope): DocumentKey => [account, region, "s3-bucket"],
  /** The current version of a key, where that is no delete marker: what lists show. */
  object: (bucket: BucketName, key: string): DocumentKey => [...objectsOf(bucket), key],
  objects: objectsOf,
  /** Versions under the current one, and delete markers, newest first. */
  version: (bucket: BucketName, key: string, order: number): DocumentKey => [
    ...versionsOf(bucket),
    key,
    order,
  ],
  versions: versionsOf,
  versionsOfKey: (bucket: BucketName, key: string): DocumentKey => [...versionsOf(bucket), key],
  upload: (bucket: BucketName, key: string, upload: string): DocumentKey => [
    ...uploadsOf(bucket),
    key,
    upload,
  ],
  uploads: uploadsOf,
  part: (scope: Scope, upload: string, number: number): DocumentKey => [...partsOf(scope, upload), number],
  parts: partsOf,
  /** Bytes that no document speaks of, yet or any more: by the name of the bytes or of the upload. */
  garbage: ({ account, region }: Scope, name: string): DocumentKey => [account, region, "s3-garbage", name],
  allGarbage: ({ account, region }: Scope): DocumentKey => [account, region, "s3-garbage"],
} as const;

function objectsOf({ account, region, id }: BucketName): DocumentKey {
  return [account, region, "s3-object", id];
}

function versionsOf({ account, region, id }: BucketName): DocumentKey {
  return [account, region, "s3-version", id];
}

function uploadsOf({ account, region, id }: BucketName): DocumentKey {
  return [account, region, "s3-upload", id];
}

function partsOf({ account, region }: Scope, upload: string): DocumentKey {
  return [account, region, "s3-part", upload];
}

export function findBucket(documents: Documents, name: string): Document<BucketDocument> | undefined {
  const owner = documents.get<BucketName>(keys.bucketName(name))?.value;
  if (owner === undefined) return undefined;
  const document = documents.get<BucketDocument>(keys.bucket(owner, name));
  return document?.value.id === owner.id ? document : undefined;
}

export function bucketArn({ name, region }: Pick<BucketDocument, "name" | "region">): string {
  const partition = region.startsWith("cn-") ? "aws-cn" : region.startsWith("us-gov-") ? "aws-us-gov" : "aws";
  return `arn:${partition}:s3:::${name}`;
}

/** The canonical user id by which ACLs and lists name an account, 64 hexadecimal digits. */
export function ownerId(account: string): string {
  return createHash("sha256").update(`s3 canonical user ${account}`).digest("hex");
}

/** What every request to a bucket says of it. */
export interface BucketRequest {
  readonly Bucket?: string | undefined;
  readonly ExpectedBucketOwner?: string | undefined;
}

/**
 * The bucket that a request names, whoever's it is: whether the caller may was decided before.
 * @throws AwsError NoSuchBucket; AccessDenied where it is another account's than expected
 */
export function requireBucket(
  documents: Documents,
  call: Scope,
  { Bucket: name = "", ExpectedBucketOwner: expected }: BucketRequest,
): Document<BucketDocument> {
  if (expected !== undefined && !/^\d{12}$/.test(expected)) throw s3Errors.invalidOwnerId(expected);
  const document = findBucket(documents, name);
  if (document === undefined) throw s3Errors.noSuchBucket(name);
  const { account, region } = document.value;
  if (expected !== undefined && expected !== account) throw s3Errors.accessDenied();
  if (call.region !== region) throw s3Errors.wrongRegion(call.region, region);
  return document;
}
