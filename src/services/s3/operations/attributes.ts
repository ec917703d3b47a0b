import type * as client from "@aws-sdk/client-s3";
import type { CallContext, Handler } from "#wire/operation";
import { memberOf } from "../checksums/algorithms.ts";
import type { S3Deps } from "../deps.ts";
import { s3Errors } from "../errors.ts";
import { findReadable } from "../reading.ts";
import { type BucketDocument, type ObjectDocument, requireBucket } from "../store.ts";
import { requirePageSize } from "./lists.ts";

type S3 = typeof client;

const KNOWN: ReadonlySet<string> = new Set(["ETag", "Checksum", "ObjectParts", "StorageClass", "ObjectSize"]);

export function attributeOperations({ documents, bytes, versions }: S3Deps) {
  const GetObjectAttributes: Handler<S3, "GetObjectAttributes"> = async (input, call) => {
    const bucket = requireBucket(documents, call, input).value;
    const wanted = wantedOf(input, call);
    const object = findReadable(versions, bucket, input.Key ?? "", input.VersionId, "GET");
    return {
      LastModified: new Date(object.modified),
      ...(bucket.settings.versioning === undefined ? {} : { VersionId: object.versionId }),
      ...(wanted.has("ETag") ? { ETag: object.etag } : {}),
      ...(wanted.has("Checksum") ? { Checksum: checksumOf(object) } : {}),
      ...(wanted.has("ObjectParts") && object.data.kind === "parts"
        ? { ObjectParts: await partsOf(bucket, object, input) }
        : {}),
      ...(wanted.has("StorageClass") ? { StorageClass: object.storageClass } : {}),
      ...(wanted.has("ObjectSize") ? { ObjectSize: object.size } : {}),
    };
  };

  /** Parts are listed only where each has a checksum of its own (recorded). */
  async function partsOf(
    bucket: BucketDocument,
    { data, checksum }: ObjectDocument,
    input: client.GetObjectAttributesRequest,
  ): Promise<client.GetObjectAttributesParts> {
    if (data.kind !== "parts") return {};
    if (checksum.type !== "COMPOSITE") return { TotalPartsCount: data.count };
    const most = requirePageSize(input.MaxParts, "max-parts");
    const after = Number(input.PartNumberMarker ?? 0) || 0;
    const parts: client.ObjectPart[] = [];
    let more = false;
    for await (const part of bytes.parts(bucket, data.upload, after)) {
      more = parts.length === most;
      if (more) break;
      parts.push({ PartNumber: part.number, Size: part.size, [memberOf(checksum.algorithm)]: part.checksum });
    }
    return {
      TotalPartsCount: data.count,
      PartNumberMarker: String(after),
      NextPartNumberMarker: String(parts.at(-1)?.PartNumber ?? 0),
      MaxParts: most,
      IsTruncated: more,
      Parts: parts,
    };
  }

  return { GetObjectAttributes };
}

/** Here the number of parts is not shown. */
function checksumOf({ checksum }: ObjectDocument): client.Checksum {
  return { [memberOf(checksum.algorithm)]: checksum.value, ChecksumType: checksum.type };
}

/** @throws AwsError InvalidArgument */
function wantedOf(
  { ObjectAttributes: names }: client.GetObjectAttributesRequest,
  call: CallContext,
): Set<string> {
  const header = call.headers["x-amz-object-attributes"];
  const wanted = names ?? [];
  for (const name of wanted)
    if (!KNOWN.has(name))
      throw s3Errors.invalidArgument(
        "Invalid attribute name specified.",
        "x-amz-object-attributes",
        header ?? name,
      );
  if (wanted.length === 0)
    throw s3Errors.invalidArgument(
      "The x-amz-object-attributes header specifying the attributes to be retrieved is either missing or empty",
      "x-amz-object-attributes",
    );
  return new Set(wanted);
}
