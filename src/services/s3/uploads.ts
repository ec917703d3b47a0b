import type { Change, Document, Documents } from "#storage/documents";
import type { CallContext } from "#wire/operation";
import { parseQuery } from "#wire/protocols/rest/uri";
import type { Algorithm } from "./checksums/algorithms.ts";
import { combineCrcs, CRC_KINDS } from "./checksums/combine.ts";
import { createHasher } from "./checksums/algorithms.ts";
import { createHash } from "node:crypto";
import type { PartDocument } from "./bytes.ts";
import { s3Errors } from "./errors.ts";
import { LIMITS } from "./limits.ts";
import { type BucketDocument, type Checksum, keys, type ObjectDocument } from "./store.ts";

/** A multipart upload under way; its parts lie by its id. */
export interface UploadDocument extends Pick<
  ObjectDocument,
  "storageClass" | "headers" | "metadata" | "tags" | "acl"
> {
  /** Epoch milliseconds. */
  readonly initiated: number;
  /** As the request named it; where it named none, parts are kept with S3's default. */
  readonly algorithm?: Algorithm;
  readonly checksumType: Checksum["type"];
  /** The revision of what the key held when the upload began, 0 for nothing: conditions of its end look back at it. */
  readonly keyRevision: number;
  readonly initiator: { readonly ID: string; readonly DisplayName: string };
}

/** @throws AwsError NoSuchUpload */
export function requireUpload(
  documents: Documents,
  bucket: BucketDocument,
  key: string,
  uploadId: string,
): Document<UploadDocument> {
  const found = documents.get<UploadDocument>(keys.upload(bucket, key, uploadId));
  if (found === undefined) throw s3Errors.noSuchUpload(uploadId);
  return found;
}

/** @throws AwsError InvalidArgument */
export function requirePartNumber(number: number | undefined): number {
  if (number === undefined || number < 1 || number > LIMITS.parts)
    throw s3Errors.invalidArgument(
      "Part number must be an integer between 1 and 10000, inclusive",
      "partNumber",
      String(number),
    );
  return number;
}

/**
 * Refuses what names a part but no upload, or an upload but no part: it would be put as an object, over the one there is.
 * @throws AwsError InvalidArgument, MethodNotAllowed (both as S3 answered: issues 1236 and 1237 of versity/versitygw)
 */
export function refuseHalfOfPart({ query = "" }: Pick<CallContext, "query">): void {
  if (query === "") return;
  const names = new Set(parseQuery(query)?.map(([name]) => name));
  if (names.has("uploadId")) throw s3Errors.uploadNotPut();
  if (names.has("partNumber"))
    throw s3Errors.invalidArgument(
      "This operation does not accept partNumber without uploadId",
      "partNumber",
      "partNumber",
    );
}

/** What a part of CompleteMultipartUpload's list claims. */
export interface ListedPart {
  readonly PartNumber?: number | undefined;
  readonly ETag?: string | undefined;
  readonly ChecksumCRC32?: string | undefined;
  readonly ChecksumCRC32C?: string | undefined;
  readonly ChecksumCRC64NVME?: string | undefined;
  readonly ChecksumSHA1?: string | undefined;
  readonly ChecksumSHA256?: string | undefined;
}

export interface ChosenPart extends PartDocument {
  readonly number: number;
}

/**
 * The parts of an upload that its end lists, checked against the list.
 * @throws AwsError InvalidPartOrder, InvalidPart, EntityTooSmall, InvalidRequest
 */
export function chooseParts(
  listed: readonly ListedPart[],
  stored: ReadonlyMap<number, PartDocument>,
  upload: UploadDocument,
  uploadId: string,
): ChosenPart[] {
  const { algorithm, checksumType } = upload;
  const chosen: ChosenPart[] = [];
  for (const part of listed) {
    const number = part.PartNumber ?? 0;
    if (number <= (chosen.at(-1)?.number ?? 0)) throw s3Errors.invalidPartOrder(uploadId);
    const etag = (part.ETag ?? "").replaceAll('"', "");
    const found = stored.get(number);
    if (found === undefined || found.etag !== etag) throw s3Errors.invalidPart(uploadId, number, etag);
    if (algorithm !== undefined) {
      const claimed = part[`Checksum${algorithm}`];
      if (claimed === undefined && checksumType === "COMPOSITE") throw missingChecksum(algorithm, number);
      if (claimed !== undefined && claimed !== found.checksum)
        throw s3Errors.invalidPart(uploadId, number, etag);
    }
    chosen.push({ ...found, number });
  }
  for (const part of chosen.slice(0, -1))
    if (part.size < LIMITS.smallestPart) throw s3Errors.partTooSmall(part.size, part.number, part.etag);
  return chosen;
}

function missingChecksum(algorithm: Algorithm, number: number): Error {
  return s3Errors.invalidRequest(
    `The upload was created using a ${algorithm.toLowerCase()} checksum. The complete request must include the checksum for each part. It was missing for part ${number} in the request.`,
  );
}

/** The MD5 of the parts' MD5s, and their number. */
export function etagOf(parts: readonly ChosenPart[]): string {
  const hash = createHash("md5");
  for (const { etag } of parts) hash.update(Buffer.from(etag, "hex"));
  return `${hash.digest("hex")}-${parts.length}`;
}

/** The checksum of an object from those of its parts, in base64. */
export async function checksumOf(
  parts: readonly ChosenPart[],
  algorithm: Algorithm,
  type: Checksum["type"],
): Promise<string> {
  if (type === "FULL_OBJECT" && algorithm in CRC_KINDS) {
    const kind = CRC_KINDS[algorithm as keyof typeof CRC_KINDS];
    const crcs = parts.map(({ checksum, size }) => ({
      crc: BigInt(`0x${Buffer.from(checksum, "base64").toString("hex")}`),
      bytes: size,
    }));
    const combined = await combineCrcs(kind, crcs);
    return Buffer.from(combined.toString(16).padStart(kind.bits / 4, "0"), "hex").toString("base64");
  }
  const hasher = createHasher(algorithm);
  for (const { checksum } of parts) hasher.update(Buffer.from(checksum, "base64"));
  return hasher.digest().toString("base64");
}

/** Holds a commit to the parts' being as they were read. */
export function unchangedParts(documents: readonly Document<PartDocument>[]): Change[] {
  return documents.map(({ key, revision }) => ({ key, check: true, expected: revision }));
}
