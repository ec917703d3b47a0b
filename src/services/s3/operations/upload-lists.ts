import type * as client from "@aws-sdk/client-s3";
import type { Handler } from "#wire/operation";
import type { PartDocument } from "../bytes.ts";
import { memberOf } from "../checksums/algorithms.ts";
import type { S3Deps } from "../deps.ts";
import { s3Errors } from "../errors.ts";
import { encoder, listKeys, type Listed } from "../listing.ts";
import { type BucketDocument, keys, ownerId, requireBucket } from "../store.ts";
import { requireUpload, type UploadDocument } from "../uploads.ts";
import { requireEncoding, requirePageSize } from "./lists.ts";

type S3 = typeof client;

export function uploadListOperations({ documents }: S3Deps) {
  const ListParts: Handler<S3, "ListParts"> = (input, call) => {
    const { Key: key = "", UploadId: uploadId = "" } = input;
    const bucket = requireBucket(documents, call, input).value;
    const upload = requireUpload(documents, bucket, key, uploadId).value;
    const most = requirePageSize(input.MaxParts, "max-parts");
    const marker = input.PartNumberMarker;
    const after = marker === undefined || marker === "" ? 0 : Number(marker);
    if (!Number.isInteger(after) || after < 0)
      throw s3Errors.invalidArgument(
        "Argument part-number-marker must be an integer between 0 and 2147483647",
        "part-number-marker",
        marker,
      );
    const rows = Array.from(
      documents.list<PartDocument>(keys.parts(bucket, uploadId), {
        after: keys.part(bucket, uploadId, after),
        limit: most + 1,
      }),
    );
    const { algorithm } = upload;
    const parts = rows.slice(0, most).map(({ key: at, value: part }) => ({
      PartNumber: Number(at.at(-1)),
      LastModified: new Date(part.modified),
      ETag: `"${part.etag}"`,
      Size: part.size,
      ...(algorithm === undefined ? {} : { [memberOf(algorithm)]: part.checksum }),
    }));
    return {
      Bucket: bucket.name,
      Key: key,
      UploadId: uploadId,
      PartNumberMarker: String(after),
      NextPartNumberMarker: String(parts.at(-1)?.PartNumber ?? 0),
      MaxParts: most,
      IsTruncated: rows.length > most,
      ...(parts.length === 0 ? {} : { Parts: parts }),
      Initiator: upload.initiator,
      Owner: { ID: ownerId(bucket.account) },
      StorageClass: upload.storageClass,
      ...(algorithm === undefined ? {} : { ChecksumAlgorithm: algorithm, ChecksumType: upload.checksumType }),
    };
  };

  const ListMultipartUploads: Handler<S3, "ListMultipartUploads"> = (input, call) => {
    const bucket = requireBucket(documents, call, input).value;
    const encode = encoder(requireEncoding(input.EncodingType));
    const { Prefix: prefix = "", Delimiter: delimiter = "", KeyMarker: keyMarker = "" } = input;
    // Without a key it says nothing (recorded).
    const uploadIdMarker = keyMarker === "" ? "" : (input.UploadIdMarker ?? "");
    const most = requirePageSize(input.MaxUploads, "max-uploads");
    const shown: Listed<UploadDocument>[] = [];
    let more = false;
    if (most > 0)
      for (const item of walk(bucket, { prefix, delimiter, after: keyMarker }, uploadIdMarker)) {
        more = shown.length === most;
        if (more) break;
        shown.push(item);
      }
    const uploads = shown.flatMap((item) => (item.kind === "entry" ? [item] : []));
    const prefixes = shown.flatMap((item) =>
      item.kind === "prefix" ? [{ Prefix: encode(item.prefix) }] : [],
    );
    const last = shown.at(-1);
    const lastUpload = last?.kind === "entry" ? last : undefined;
    return {
      Bucket: bucket.name,
      ...(input.Prefix === undefined ? {} : { Prefix: encode(prefix) }),
      ...(delimiter === "" ? {} : { Delimiter: encode(delimiter) }),
      KeyMarker: encode(keyMarker),
      UploadIdMarker: uploadIdMarker,
      // Told also where the list is complete, and empty where it ends with a prefix (recorded).
      NextKeyMarker: encode(lastUpload?.key ?? ""),
      NextUploadIdMarker: lastUpload === undefined ? "" : idOf(lastUpload),
      MaxUploads: most,
      IsTruncated: more,
      ...(input.EncodingType === undefined ? {} : { EncodingType: input.EncodingType }),
      ...(uploads.length === 0 ? {} : { Uploads: uploads.map((item) => listed(bucket, item, encode)) }),
      ...(prefixes.length === 0 ? {} : { CommonPrefixes: prefixes }),
    };
  };

  function* walk(
    bucket: BucketDocument,
    query: { readonly prefix: string; readonly delimiter: string; readonly after: string },
    uploadIdMarker: string,
  ): Generator<Listed<UploadDocument>> {
    const { after: key, prefix } = query;
    if (uploadIdMarker !== "") {
      if (documents.get(keys.upload(bucket, key, uploadIdMarker)) === undefined)
        throw s3Errors.invalidArgument("Invalid uploadId marker", "upload-id-marker", uploadIdMarker);
      const ofKey = [...keys.uploads(bucket), key] as const;
      if (key.startsWith(prefix))
        for (const document of documents.list<UploadDocument>(ofKey, { after: [...ofKey, uploadIdMarker] }))
          yield { kind: "entry", key, document };
    }
    yield* listKeys<UploadDocument>(documents, keys.uploads(bucket), query);
  }

  return { ListParts, ListMultipartUploads };
}

type Entry = Extract<Listed<UploadDocument>, { readonly kind: "entry" }>;

function idOf({ document }: Entry): string {
  return String(document.key.at(-1));
}

function listed(bucket: BucketDocument, item: Entry, encode: (text: string) => string) {
  const { value: upload } = item.document;
  return {
    Key: encode(item.key),
    UploadId: idOf(item),
    Initiated: new Date(upload.initiated),
    StorageClass: upload.storageClass,
    Owner: { ID: ownerId(bucket.account) },
    Initiator: upload.initiator,
    ...(upload.algorithm === undefined
      ? {}
      : { ChecksumAlgorithm: upload.algorithm, ChecksumType: upload.checksumType }),
  };
}
