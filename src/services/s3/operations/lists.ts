import { setImmediate as nextTurn } from "node:timers/promises";
import type * as client from "@aws-sdk/client-s3";
import type { DocumentKey, Documents } from "#storage/documents";
import type { Handler } from "#wire/operation";
import type { S3Deps } from "../deps.ts";
import { s3Errors } from "../errors.ts";
import { LIMITS } from "../limits.ts";
import { encoder, type Listed, listKeys, type ListQuery } from "../listing.ts";
import { type BucketDocument, keys, type ObjectDocument, ownerId, requireBucket } from "../store.ts";

type S3 = typeof client;

export function listOperations({ documents }: S3Deps) {
  const ListObjects: Handler<S3, "ListObjects"> = async (input, call) => {
    const bucket = requireBucket(documents, call, input).value;
    const encode = encoder(requireEncoding(input.EncodingType));
    const { Prefix: prefix = "", Delimiter: delimiter = "", Marker: marker = "" } = input;
    const most = requirePageSize(input.MaxKeys, "maxKeys");
    const found = await pageOf(documents, keys.objects(bucket), { prefix, delimiter, after: marker }, most);
    const owner = { ID: ownerId(bucket.account) };
    return {
      ...shared(input, bucket, found, most, encode),
      Marker: encode(marker),
      ...contents(found, encode, owner),
      // Without a delimiter the last key says where to go on (recorded).
      ...(found.last !== undefined && delimiter !== "" ? { NextMarker: encode(found.last) } : {}),
    };
  };

  const ListObjectsV2: Handler<S3, "ListObjectsV2"> = async (input, call) => {
    const bucket = requireBucket(documents, call, input).value;
    const encode = encoder(requireEncoding(input.EncodingType));
    const { Prefix: prefix = "", Delimiter: delimiter = "", StartAfter: startAfter = "" } = input;
    const { ContinuationToken: token } = input;
    const most = requirePageSize(input.MaxKeys, "maxKeys");
    const after = token === undefined ? startAfter : readToken(token);
    const found = await pageOf(documents, keys.objects(bucket), { prefix, delimiter, after }, most);
    const owner = input.FetchOwner === true ? { ID: ownerId(bucket.account) } : undefined;
    return {
      ...shared(input, bucket, found, most, encode),
      KeyCount: found.items.length,
      ...contents(found, encode, owner),
      ...(input.StartAfter === undefined || input.StartAfter === ""
        ? {}
        : { StartAfter: encode(startAfter) }),
      ...(token === undefined ? {} : { ContinuationToken: token }),
      ...(found.last === undefined ? {} : { NextContinuationToken: writeToken(found.last) }),
    };
  };

  return { ListObjects, ListObjectsV2 };
}

interface Page {
  readonly items: readonly Listed<ObjectDocument>[];
  /** The last key or prefix shown, where there is more behind it. */
  readonly last: string | undefined;
}

/** Objects that are read in one turn of the event loop: some milliseconds. */
const TURN = 200;

/** Up to `most` of what a list shows; one more tells whether the list goes on. */
async function pageOf(
  documents: Documents,
  parent: DocumentKey,
  query: ListQuery,
  most: number,
): Promise<Page> {
  const items: Listed<ObjectDocument>[] = [];
  if (most === 0) return { items, last: undefined };
  let { after } = query;
  for (;;) {
    let read = 0;
    for (const item of listKeys<ObjectDocument>(documents, parent, { ...query, after })) {
      if (items.length === most) return { items, last: after };
      items.push(item);
      after = item.kind === "prefix" ? item.prefix : item.key;
      if (++read === TURN) break;
    }
    if (read < TURN) return { items, last: undefined };
    await nextTurn();
  }
}

/** @throws AwsError InvalidArgument */
export function requirePageSize(asked: number | undefined, name: string): number {
  if (asked === undefined) return LIMITS.page;
  if (asked < 0)
    throw s3Errors.invalidArgument(
      `Argument ${name} must be an integer between 0 and 2147483647`,
      name === "maxKeys" ? "max-keys" : name,
      String(asked),
    );
  return Math.min(asked, LIMITS.page);
}

/** @throws AwsError InvalidArgument */
export function requireEncoding(encoding: string | undefined): client.EncodingType | undefined {
  if (encoding === undefined || encoding === "url") return encoding;
  throw s3Errors.invalidArgument("Invalid Encoding Method specified in Request", "encoding-type", encoding);
}

/** What both versions of the list answer alike. */
function shared(
  input: client.ListObjectsRequest | client.ListObjectsV2Request,
  bucket: BucketDocument,
  found: Page,
  most: number,
  encode: (text: string) => string,
) {
  return {
    Name: bucket.name,
    Prefix: encode(input.Prefix ?? ""),
    ...(input.Delimiter ? { Delimiter: encode(input.Delimiter) } : {}),
    MaxKeys: most,
    IsTruncated: found.last !== undefined,
    ...(input.EncodingType === undefined ? {} : { EncodingType: input.EncodingType }),
  };
}

function contents({ items }: Page, encode: (text: string) => string, owner: client.Owner | undefined) {
  const objects: client._Object[] = [];
  const prefixes: client.CommonPrefix[] = [];
  for (const item of items)
    if (item.kind === "prefix") prefixes.push({ Prefix: encode(item.prefix) });
    else objects.push(listed(encode(item.key), item.document.value, owner));
  return {
    ...(objects.length === 0 ? {} : { Contents: objects }),
    ...(prefixes.length === 0 ? {} : { CommonPrefixes: prefixes }),
  };
}

function listed(key: string, object: ObjectDocument, owner: client.Owner | undefined): client._Object {
  return {
    Key: key,
    LastModified: new Date(object.modified),
    ETag: `"${object.etag}"`,
    ChecksumAlgorithm: [object.checksum.algorithm],
    ChecksumType: object.checksum.type,
    Size: object.size,
    StorageClass: object.storageClass,
    ...(owner === undefined ? {} : { Owner: owner }),
  };
}

const TOKEN = "1";

function writeToken(key: string): string {
  return Buffer.from(TOKEN + key).toString("base64");
}

function readToken(token: string): string {
  const text = Buffer.from(token, "base64").toString();
  if (!text.startsWith(TOKEN) || text.includes("\uFFFD"))
    throw s3Errors.invalidArgument(
      "The continuation token provided is incorrect",
      "continuation-token",
      token,
    );
  return text.slice(TOKEN.length);
}
