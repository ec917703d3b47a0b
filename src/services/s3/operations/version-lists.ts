import type * as client from "@aws-sdk/client-s3";
import type { Handler } from "#wire/operation";
import type { S3Deps } from "../deps.ts";
import { s3Errors } from "../errors.ts";
import { compareKeys, encoder, type Listed, listKeys, type ListQuery } from "../listing.ts";
import {
  type BucketDocument,
  isDeleteMarker,
  keys,
  ownerId,
  requireBucket,
  type VersionDocument,
} from "../store.ts";
import { orderOf } from "../version-ids.ts";
import { requireEncoding, requirePageSize } from "./lists.ts";

type S3 = typeof client;

type Shown =
  | { readonly kind: "prefix"; readonly prefix: string }
  | {
      readonly kind: "version";
      readonly key: string;
      readonly version: VersionDocument;
      readonly latest: boolean;
    };

export function versionListOperations({ documents, versions }: S3Deps) {
  const ListObjectVersions: Handler<S3, "ListObjectVersions"> = (input, call) => {
    const bucket = requireBucket(documents, call, input).value;
    const encode = encoder(requireEncoding(input.EncodingType));
    const { Prefix: prefix = "", Delimiter: delimiter = "" } = input;
    const { KeyMarker: keyMarker = "", VersionIdMarker: versionIdMarker = "" } = input;
    if (versionIdMarker !== "" && keyMarker === "")
      throw s3Errors.invalidArgument(
        "A version-id marker cannot be specified without a key marker.",
        "version-id-marker",
        versionIdMarker,
      );
    const most = requirePageSize(input.MaxKeys, "maxKeys");
    const shown: Shown[] = [];
    let more = false;
    if (most > 0)
      for (const each of walk(bucket, { prefix, delimiter, after: keyMarker }, versionIdMarker)) {
        more = shown.length === most;
        if (more) break;
        shown.push(each);
      }
    const owner = { ID: ownerId(bucket.account) };
    const found: client.ObjectVersion[] = [];
    const markers: client.DeleteMarkerEntry[] = [];
    const prefixes: client.CommonPrefix[] = [];
    for (const each of shown) {
      if (each.kind === "prefix") {
        prefixes.push({ Prefix: encode(each.prefix) });
        continue;
      }
      const { version } = each;
      const common = {
        Key: encode(each.key),
        VersionId: version.versionId,
        IsLatest: each.latest,
        LastModified: new Date(version.modified),
        Owner: owner,
      };
      if (isDeleteMarker(version)) markers.push(common);
      else
        found.push({
          ...common,
          ETag: `"${version.etag}"`,
          ChecksumAlgorithm: [version.checksum.algorithm],
          ChecksumType: version.checksum.type,
          Size: version.size,
          StorageClass: version.storageClass as client.ObjectVersionStorageClass,
        });
    }
    const last = more ? shown.at(-1) : undefined;
    return {
      Name: bucket.name,
      Prefix: encode(prefix),
      ...(delimiter === "" ? {} : { Delimiter: encode(delimiter) }),
      KeyMarker: encode(keyMarker),
      VersionIdMarker: versionIdMarker,
      MaxKeys: most,
      IsTruncated: more,
      ...(input.EncodingType === undefined ? {} : { EncodingType: input.EncodingType }),
      ...(found.length === 0 ? {} : { Versions: found }),
      ...(markers.length === 0 ? {} : { DeleteMarkers: markers }),
      ...(prefixes.length === 0 ? {} : { CommonPrefixes: prefixes }),
      ...(last === undefined
        ? {}
        : { NextKeyMarker: encode(last.kind === "prefix" ? last.prefix : last.key) }),
      ...(last?.kind === "version" ? { NextVersionIdMarker: last.version.versionId } : {}),
    };
  };

  /** All versions in order: by key, newest first. */
  function* walk(bucket: BucketDocument, query: ListQuery, versionIdMarker: string): Generator<Shown> {
    if (versionIdMarker !== "") yield* restOfKey(bucket, query, versionIdMarker);
    const current = listKeys<VersionDocument>(documents, keys.objects(bucket), query);
    const below = listKeys<VersionDocument>(documents, keys.versions(bucket), query);
    let lastKey: string | undefined;
    let lastPrefix: string | undefined;
    for (const item of merge(current, below)) {
      if (item.kind === "prefix") {
        if (item.prefix !== lastPrefix) yield item;
        lastPrefix = item.prefix;
        continue;
      }
      const { key, document } = item;
      yield { kind: "version", key, version: document.value, latest: key !== lastKey };
      lastKey = key;
    }
  }

  /** What is left of the key in whose middle the page before ended. */
  function* restOfKey(
    bucket: BucketDocument,
    { prefix, after: key }: ListQuery,
    marker: string,
  ): Generator<Shown> {
    if (!key.startsWith(prefix)) return;
    const current = versions.current(bucket, key)?.value;
    let order: number | undefined = 0;
    if (current?.versionId !== marker) {
      order = marker === "null" ? versions.find(bucket, key, marker)?.value.order : orderOf(marker);
      if (order === undefined)
        throw s3Errors.invalidArgument("Invalid version id specified", "version-id-marker", marker);
      if (current?.order !== undefined && current.order > order)
        yield { kind: "version", key, version: current, latest: true };
    }
    const newest = versions.newestBelow(bucket, key)?.value.order;
    const rows = documents.list<VersionDocument>(keys.versionsOfKey(bucket, key), {
      after: keys.version(bucket, key, order),
    });
    for (const { value } of rows)
      yield {
        kind: "version",
        key,
        version: value,
        latest: current === undefined && value.order === newest,
      };
  }

  return { ListObjectVersions };
}

/** Two lists as one, in order; what is current comes before the other versions of its key. */
function* merge<T>(first: Iterator<Listed<T>>, second: Iterator<Listed<T>>): Generator<Listed<T>> {
  let [one, two] = [first.next(), second.next()];
  while (one.done !== true || two.done !== true) {
    const takeFirst =
      two.done === true || (one.done !== true && compareKeys(nameOf(one.value), nameOf(two.value)) <= 0);
    if (takeFirst && one.done !== true) {
      yield one.value;
      one = first.next();
    } else if (two.done !== true) {
      yield two.value;
      two = second.next();
    }
  }
}

function nameOf(item: Listed<unknown>): string {
  return item.kind === "prefix" ? item.prefix : item.key;
}
