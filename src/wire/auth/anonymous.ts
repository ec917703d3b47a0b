import { Readable } from "node:stream";
import { toAwsError } from "./errors.ts";
import { AuthFailure } from "./failures.ts";
import * as payload from "./payload.ts";
import type { Authenticated, AuthRequest } from "./types.ts";

/** Whether nothing in a request claims to prove who sends it, by whichever version of AWS's signatures. */
export function isUnsigned({ headers, query }: Pick<AuthRequest, "headers" | "query">): boolean {
  return (
    headers["authorization"] === undefined &&
    headers["x-amz-security-token"] === undefined &&
    !/(?:^|&)(?:X-Amz-(?:Algorithm|Credential|Signature)|AWSAccessKeyId|Signature)=/i.test(query)
  );
}

/**
 * The payload of an unsigned request to S3, which may be framed as aws-chunked all the same: clients send checksums so.
 * @throws AwsError where the framing is one that only a signature can be checked with, or is none
 */
export function unsignedPayload({ headers, body }: AuthRequest): Pick<Authenticated, "body" | "trailers"> {
  const translate = (error: unknown): unknown =>
    error instanceof AuthFailure ? toAwsError(error.failure, "s3") : error;
  const claimed = headers["x-amz-content-sha256"];
  try {
    const check = claimed === undefined ? "none" : payload.s3PayloadCheck(claimed);
    if (check === "none") return { body, trailers: {} };
    if (check === "hash") {
      const stream = Buffer.isBuffer(body) ? Readable.from([body]) : body;
      const checked = payload.checkedAgainstHash(stream, claimed ?? "");
      return { body: payload.readable(checked, translate), trailers: {} };
    }
    // There is no key to check chunks' signatures with.
    if (check.signed) throw new AuthFailure({ kind: "content-hash-malformed", claimed: claimed ?? "" });
    const decoder = payload.chunkedDecoder(check, undefined, headers["x-amz-decoded-content-length"]);
    const decoded = Buffer.isBuffer(body)
      ? payload.decodeChunked(body, decoder)
      : payload.readable(payload.decodedChunks(body, decoder), translate);
    return { body: decoded, trailers: decoder.trailers };
  } catch (error) {
    throw translate(error);
  }
}
