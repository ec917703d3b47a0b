import { sha256InTurns } from "#core/sha256";
import type { CodePackage } from "#engine/contract";
import type { LambdaContext } from "../context.ts";
import { errors } from "../errors.ts";
import { LIMITS } from "../limits.ts";
import type { FunctionSettings } from "../records.ts";

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
  operation: "CreateFunction" | "UpdateFunctionCode" | "PublishLayerVersion",
): Promise<CodePackage> {
  const { blobs, engine } = context;
  const { id, bytes } = await blobs.put(requireArchive(source, operation));
  // A blob's id is the same hash in other digits.
  const stored = { blob: id, sha256: Buffer.from(id, "hex").toString("base64"), bytes };
  return { ...stored, unpackedBytes: await engine.unpackedBytes(stored) };
}

/** @throws AwsError in AWS's words: no ImageUri, another source beside it, or an image that is not there or not valid */
export async function acceptImage(
  { engine }: LambdaContext,
  { ZipFile, S3Bucket, ImageUri }: CodeSource,
  operation: "CreateFunction" | "UpdateFunctionCode",
  architecture: FunctionSettings["architecture"],
): Promise<CodePackage> {
  if (ImageUri === undefined || ImageUri === "" || ZipFile !== undefined || S3Bucket !== undefined)
    throw errors.imageUriMissing(operation === "CreateFunction" ? "creating" : "updating");
  return engine.resolveImage(ImageUri, architecture);
}

/** @throws AwsError where the request has no archive, or one that is too large */
export function requireArchive(source: CodeSource, operation: string): Uint8Array {
  if (source.S3Bucket !== undefined) throw errors.notAvailable("Code.S3Bucket");
  if (source.SourceKMSKeyArn !== undefined && source.SourceKMSKeyArn !== "")
    throw errors.notAvailable("Code.SourceKMSKeyArn");
  if (source.ImageUri !== undefined)
    throw operation === "UpdateFunctionCode" ? errors.imageUriOnZip() : errors.imageUriOnNewZip();
  if (source.ZipFile === undefined || source.ZipFile.length === 0) throw errors.codeMissing();
  if (source.ZipFile.length > LIMITS.zippedCodeBytes)
    throw errors.requestTooLarge(LIMITS.codeRequestBytes, operation);
  return source.ZipFile;
}

/** What a FunctionConfiguration says of an archive that is not kept. */
export async function describeCode(archive: Uint8Array): Promise<Pick<CodePackage, "sha256" | "bytes">> {
  return { sha256: (await sha256InTurns(archive)).toString("base64"), bytes: archive.length };
}
