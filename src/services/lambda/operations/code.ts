import { createHash } from "node:crypto";
import type { CodePackage } from "#engine/contract";
import type { LambdaContext } from "../context.ts";
import { errors } from "../errors.ts";
import { LIMITS } from "../limits.ts";

/** Where a request's code can come from: members of CreateFunction's Code and of UpdateFunctionCode. */
export interface CodeSource {
  readonly ZipFile?: Uint8Array | undefined;
  readonly S3Bucket?: string | undefined;
  readonly ImageUri?: string | undefined;
  readonly SourceKMSKeyArn?: string | undefined;
}

/**
 * Stores and checks an archive. It is unpacked before the caller is answered, because AWS, too, refuses a bad archive
 * at once and not by a failed state (recorded: "Could not unzip uploaded file").
 * @throws AwsError InvalidParameterValueException, RequestEntityTooLargeException
 */
export async function acceptCode(
  context: LambdaContext,
  source: CodeSource,
  operation: "CreateFunction" | "UpdateFunctionCode",
): Promise<CodePackage> {
  const { blobs, engine } = context;
  const code = describeCode(requireArchive(source, operation));
  const { id } = await blobs.put(code.archive);
  const stored = { blob: id, sha256: code.sha256, bytes: code.bytes };
  await engine.prepare(stored);
  return stored;
}

/** @throws AwsError where the request has no archive, or one that is too large */
export function requireArchive(source: CodeSource, operation: string): Uint8Array {
  if (source.S3Bucket !== undefined) throw errors.notAvailable("Code.S3Bucket");
  if (source.SourceKMSKeyArn !== undefined && source.SourceKMSKeyArn !== "")
    throw errors.notAvailable("Code.SourceKMSKeyArn");
  if (source.ImageUri !== undefined)
    throw operation === "CreateFunction" ? errors.notAvailable("Code.ImageUri") : errors.imageUriOnZip();
  if (source.ZipFile === undefined || source.ZipFile.length === 0) throw errors.codeMissing();
  if (source.ZipFile.length > LIMITS.zippedCodeBytes)
    throw errors.requestTooLarge(LIMITS.codeRequestBytes, operation);
  return source.ZipFile;
}

export function describeCode(archive: Uint8Array) {
  return {
    archive,
    sha256: createHash("sha256").update(archive).digest("base64"),
    bytes: archive.length,
  };
}
