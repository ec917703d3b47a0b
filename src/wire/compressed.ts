import { gunzip } from "node:zlib";
import { AwsError } from "#core/errors";

/** What a compressed body may come to: far more than any operation takes whose clients compress. */
const MAX_BYTES = 16 * 1024 * 1024;

/** Of REST services, Content-Encoding is the object's own: nothing is to be unpacked there. */
const RPC = /^application\/(?:x-amz-json-1\.[01]|cbor|x-www-form-urlencoded)\b/;

/**
 * Whether the client has compressed the body, as SDKs do with operations that have Smithy's trait `requestCompression`
 * (PutMetricData) once a body has 10 KB. The signature is over the compressed bytes.
 */
export function isCompressed({
  headers,
}: {
  readonly headers: Readonly<Record<string, string | undefined>>;
}) {
  return headers["content-encoding"] === "gzip" && RPC.test(headers["content-type"] ?? "");
}

/** @throws AwsError SerializationException for what is not gzip or unpacks to more than 16 MB */
export function decompress(body: Buffer): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    gunzip(body, { maxOutputLength: MAX_BYTES }, (error, bytes) => {
      if (error === null) resolve(bytes);
      else reject(new AwsError("SerializationException", "The request body cannot be decompressed."));
    });
  });
}
