import type * as client from "@aws-sdk/client-s3";
import { s3Errors } from "./errors.ts";
import { LIMITS } from "./limits.ts";
import type { StoredHeaders } from "./store.ts";

/** What an object is kept with, as PutObject, CopyObject and CreateMultipartUpload ask for it. */
export interface HeadersInput {
  readonly ContentType?: string | undefined;
  readonly CacheControl?: string | undefined;
  readonly ContentDisposition?: string | undefined;
  readonly ContentEncoding?: string | undefined;
  readonly ContentLanguage?: string | undefined;
  readonly Expires?: Date | undefined;
  readonly WebsiteRedirectLocation?: string | undefined;
}

/** What S3 says of an object that was put without a type. */
export const DEFAULT_TYPE = "binary/octet-stream";

export function storedHeaders(input: HeadersInput): StoredHeaders {
  const encoding = withoutChunking(input.ContentEncoding);
  const { WebsiteRedirectLocation: redirect } = input;
  if (redirect !== undefined && !/^(?:\/|https?:\/\/)/.test(redirect))
    throw s3Errors.invalidRequest(
      "The website redirect location must have a prefix of 'http://' or 'https://' or '/'.",
    );
  return {
    ContentType: input.ContentType || DEFAULT_TYPE,
    ...(input.CacheControl === undefined ? {} : { CacheControl: input.CacheControl }),
    ...(input.ContentDisposition === undefined ? {} : { ContentDisposition: input.ContentDisposition }),
    ...(encoding === undefined ? {} : { ContentEncoding: encoding }),
    ...(input.ContentLanguage === undefined ? {} : { ContentLanguage: input.ContentLanguage }),
    ...(input.Expires === undefined ? {} : { Expires: input.Expires.toISOString() }),
    ...(redirect === undefined ? {} : { WebsiteRedirectLocation: redirect }),
  };
}

/** `aws-chunked` tells how the request was framed and is no encoding of the object's. */
function withoutChunking(encoding: string | undefined): string | undefined {
  const encodings = encoding?.split(",").map((each) => each.trim());
  const kept = encodings?.filter((each) => each !== "aws-chunked" && each !== "").join(",");
  return kept === "" ? undefined : kept;
}

export interface ResponseOverrides {
  readonly ResponseContentType?: string | undefined;
  readonly ResponseContentLanguage?: string | undefined;
  readonly ResponseExpires?: Date | undefined;
  readonly ResponseCacheControl?: string | undefined;
  readonly ResponseContentDisposition?: string | undefined;
  readonly ResponseContentEncoding?: string | undefined;
}

/** The headers of an answer, the request's own wishes (`response-content-type` and the like) first. */
export function answeredHeaders(stored: StoredHeaders, wishes: ResponseOverrides) {
  const { Expires: kept, ...headers } = stored;
  const expires = wishes.ResponseExpires ?? (kept === undefined ? undefined : new Date(kept));
  const wished = {
    ContentType: wishes.ResponseContentType,
    ContentLanguage: wishes.ResponseContentLanguage,
    CacheControl: wishes.ResponseCacheControl,
    ContentDisposition: wishes.ResponseContentDisposition,
    ContentEncoding: wishes.ResponseContentEncoding,
  };
  const given = Object.entries(wished).filter(([, value]) => value !== undefined);
  return {
    ...headers,
    ...(Object.fromEntries(given) as Partial<Record<keyof typeof wished, string>>),
    ...(expires === undefined ? {} : { Expires: expires }),
  };
}

/** User metadata as it is kept: names in lower case, values in Unicode. @throws AwsError MetadataTooLarge */
export function readMetadata(metadata: Readonly<Record<string, string>> = {}): Record<string, string> {
  const read = new Map<string, string>();
  let size = 0;
  for (const [name, value] of Object.entries(metadata)) {
    const text = decodeValue(value);
    read.set(name.toLowerCase(), text);
    size += Buffer.byteLength(name) + Buffer.byteLength(text);
  }
  if (size > LIMITS.metadataBytes) throw s3Errors.metadataTooLarge(size);
  return Object.fromEntries(read);
}

/** User metadata as headers carry it: in the words of RFC 2047 where it is more than ASCII. */
export function writeMetadata(metadata: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(metadata).map(([name, value]) => [
      name,
      PRINTABLE.test(value) ? value : encodeValue(value),
    ]),
  );
}

const PRINTABLE = /^[ -~]*$/;
const ENCODED_WORD = /^=\?UTF-8\?([BQ])\?(.*)\?=$/is;

function encodeValue(value: string): string {
  return `=?UTF-8?B?${Buffer.from(value).toString("base64")}?=`;
}

/** HTTP hands a header's bytes on as Latin-1; what clients mean by them is UTF-8, or an encoded word. */
function decodeValue(value: string): string {
  const [, form, text = ""] = ENCODED_WORD.exec(value) ?? [];
  if (form?.toUpperCase() === "B") return Buffer.from(text, "base64").toString();
  if (form?.toUpperCase() === "Q") return decodeQuoted(text);
  if (PRINTABLE.test(value) || !LATIN1.test(value)) return value;
  const bytes = Buffer.from(value, "latin1");
  const decoded = bytes.toString();
  return decoded.includes("\uFFFD") ? value : decoded;
}

// oxlint-disable-next-line no-control-regex -- every character that one byte can be
const LATIN1 = /^[\u0000-\u00FF]*$/;

function decodeQuoted(text: string): string {
  const bytes = text
    .replaceAll("_", " ")
    .replaceAll(/=([0-9A-Fa-f]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
  return Buffer.from(bytes, "latin1").toString();
}

const STORAGE_CLASSES: ReadonlySet<string> = new Set([
  "STANDARD",
  "REDUCED_REDUNDANCY",
  "STANDARD_IA",
  "ONEZONE_IA",
  "INTELLIGENT_TIERING",
  "GLACIER",
  "DEEP_ARCHIVE",
  "GLACIER_IR",
]);

/** @throws AwsError InvalidStorageClass */
export function readStorageClass(storageClass: string | undefined): client.StorageClass {
  const name = storageClass ?? "STANDARD";
  if (!STORAGE_CLASSES.has(name)) throw s3Errors.invalidStorageClass();
  return name as client.StorageClass;
}

/** What a client asks for that S3 has and this platform has not. */
interface Unbuilt {
  readonly ServerSideEncryption?: string | undefined;
  readonly SSECustomerAlgorithm?: string | undefined;
  readonly SSECustomerKey?: string | undefined;
  readonly ObjectLockMode?: string | undefined;
  readonly ObjectLockLegalHoldStatus?: string | undefined;
  readonly WriteOffsetBytes?: number | undefined;
}

/** Refuses what would otherwise be promised and not kept. @throws AwsError */
export function refuseUnbuilt(input: Unbuilt): void {
  const { ServerSideEncryption: encryption } = input;
  if (encryption !== undefined && encryption !== "AES256") {
    if (encryption.startsWith("aws:")) throw s3Errors.notBuilt(`Encryption with ${encryption}`);
    throw s3Errors.invalidArgument(
      "The encryption method specified is not supported",
      "x-amz-server-side-encryption",
      encryption,
    );
  }
  if (input.SSECustomerAlgorithm !== undefined || input.SSECustomerKey !== undefined)
    throw s3Errors.notBuilt("Encryption with the customer's key");
  if (input.ObjectLockMode !== undefined || input.ObjectLockLegalHoldStatus !== undefined)
    throw s3Errors.invalidRequest("Bucket is missing Object Lock Configuration");
  if (input.WriteOffsetBytes !== undefined) throw s3Errors.notImplementedHeader("x-amz-write-offset-bytes");
}
