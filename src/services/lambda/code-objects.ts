import type * as S3Client from "@aws-sdk/client-s3";
import { Readable } from "node:stream";
import { AwsError } from "#core/errors";
import type { AwsCaller, CallContext, InputOf, OutputOf } from "#wire/operation";
import { errors } from "./errors.ts";
import { LIMITS } from "./limits.ts";

/** Where an archive is in S3: members of CreateFunction's Code, of UpdateFunctionCode, and of a layer's Content. */
export interface ObjectName {
  readonly S3Bucket?: string | undefined;
  readonly S3Key?: string | undefined;
  readonly S3ObjectVersion?: string | undefined;
}

/**
 * Opens an archive in S3 as the caller who names it, who must be allowed to read it.
 * @throws AwsError InvalidParameterValueException with S3's own error in AWS's words (recorded:
 * test_lambda_code_location_s3_errors); the stream fails with one where the archive is larger than any that unpacks
 */
export async function openCodeObject(
  caller: AwsCaller,
  { principal, region }: Pick<CallContext, "principal" | "region">,
  { S3Bucket, S3Key, S3ObjectVersion }: ObjectName,
): Promise<Readable> {
  if (S3Key === undefined || S3Key === "") throw errors.codeMissing();
  const input: InputOf<typeof S3Client, "GetObject"> = {
    Bucket: S3Bucket,
    Key: S3Key,
    ...(S3ObjectVersion === undefined ? {} : { VersionId: S3ObjectVersion }),
  };
  try {
    const output = (await caller.call("s3", "GetObject", input, { principal, region })) as OutputOf<
      typeof S3Client,
      "GetObject"
    >;
    if ((output.ContentLength ?? 0) > LIMITS.unzippedCodeBytes) throw errors.unzippedTooLarge();
    return Readable.from(withinLimit(output.Body), { objectMode: false });
  } catch (error) {
    if (!(error instanceof AwsError) || error.code === "InvalidParameterValueException") throw error;
    throw errors.codeObjectUnreadable(error.code, error.message);
  }
}

/** Within the process a body is bytes or a Node.js stream, whatever the client's type says. */
async function* withinLimit(body: unknown): AsyncGenerator<Uint8Array> {
  let bytes = 0;
  const chunks = body instanceof Uint8Array ? [body] : ((body ?? []) as AsyncIterable<Uint8Array>);
  for await (const chunk of chunks) {
    bytes += chunk.length;
    if (bytes > LIMITS.unzippedCodeBytes) throw errors.unzippedTooLarge();
    yield chunk;
  }
}
