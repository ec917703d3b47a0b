import { createHash } from "node:crypto";
import type { Readable } from "node:stream";
import { AwsError } from "#core/errors";
import { sha256InTurns } from "#core/sha256";
import type { CodePackage } from "#engine/contract";
import type { CallContext } from "#wire/operation";
import { openCodeObject, type ObjectName } from "../code-objects.ts";
import type { LambdaContext } from "../context.ts";
import { errors } from "../errors.ts";
import { LIMITS } from "../limits.ts";
import type { FunctionSettings } from "../records.ts";

/** Where a request's code can come from: members of CreateFunction's Code and of UpdateFunctionCode. */
export interface CodeSource extends ObjectName {
  readonly ZipFile?: Uint8Array | undefined;
  readonly ImageUri?: string | undefined;
  readonly SourceKMSKeyArn?: string | undefined;
}

type CodeOperation = "CreateFunction" | "UpdateFunctionCode" | "PublishLayerVersion";

/**
 * Stores and checks an archive. It is unpacked before the caller is answered, because AWS, too, refuses a bad archive
 * at once and not by a failed state (recorded: "Could not unzip uploaded file").
 * @throws AwsError InvalidParameterValueException, RequestEntityTooLargeException
 */
export async function acceptCode(
  context: LambdaContext,
  call: CallContext,
  source: CodeSource,
  operation: CodeOperation,
): Promise<CodePackage> {
  const { blobs, engine } = context;
  const archive = await openArchive(context, call, source, operation);
  return engine.deploy(async () => {
    const { id, bytes } = await blobs.put(archive);
    // A blob's id is the same hash in other digits.
    const stored = { blob: id, sha256: Buffer.from(id, "hex").toString("base64"), bytes };
    try {
      return { ...stored, unpackedBytes: await engine.unpackedBytes(stored) };
    } catch (error) {
      // What is refused was never unpacked for anybody: no record has it, and `reclaim` would not find it.
      if (error instanceof AwsError) await blobs.remove(id);
      throw error;
    }
  });
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

/** @throws AwsError where the request has no archive, one that is too large, or one that cannot be read */
async function openArchive(
  { caller }: LambdaContext,
  call: CallContext,
  source: CodeSource,
  operation: CodeOperation,
): Promise<Uint8Array | Readable> {
  const { ZipFile, S3Bucket, ImageUri, SourceKMSKeyArn } = source;
  if (SourceKMSKeyArn !== undefined && SourceKMSKeyArn !== "")
    throw errors.notAvailable("Code.SourceKMSKeyArn");
  if (ImageUri !== undefined)
    throw operation === "UpdateFunctionCode" ? errors.imageUriOnZip() : errors.imageUriOnNewZip();
  const zipped = ZipFile !== undefined && ZipFile.length > 0;
  if (S3Bucket !== undefined) {
    if (zipped) throw errors.twoCodeSources();
    return openCodeObject(caller, call, source);
  }
  if (!zipped) throw errors.codeMissing();
  if (ZipFile.length > LIMITS.zippedCodeBytes)
    throw errors.requestTooLarge(LIMITS.codeRequestBytes, operation);
  return ZipFile;
}

/** What a FunctionConfiguration says of an archive that is not kept. @throws as `acceptCode`, but for what is in it */
export async function describeCode(
  context: LambdaContext,
  call: CallContext,
  source: CodeSource,
  operation: CodeOperation,
): Promise<Pick<CodePackage, "sha256" | "bytes">> {
  const archive = await openArchive(context, call, source, operation);
  if (archive instanceof Uint8Array)
    return { sha256: (await sha256InTurns(archive)).toString("base64"), bytes: archive.length };
  const hash = createHash("sha256");
  let bytes = 0;
  for await (const chunk of archive as AsyncIterable<Uint8Array>) {
    hash.update(chunk);
    bytes += chunk.length;
  }
  return { sha256: hash.digest("base64"), bytes };
}
