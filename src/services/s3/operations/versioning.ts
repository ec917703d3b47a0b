import type * as client from "@aws-sdk/client-s3";
import type { Handler } from "#wire/operation";
import type { S3Deps } from "../deps.ts";
import { s3Errors } from "../errors.ts";
import { reviseSettings } from "../settings.ts";
import { requireBucket } from "../store.ts";

type S3 = typeof client;

export function versioningOperations({ documents }: S3Deps) {
  const GetBucketVersioning: Handler<S3, "GetBucketVersioning"> = (input, call) => {
    const { versioning } = requireBucket(documents, call, input).value.settings;
    return versioning === undefined ? {} : { Status: versioning };
  };

  const PutBucketVersioning: Handler<S3, "PutBucketVersioning"> = async (input, call) => {
    requireBucket(documents, call, input);
    const { Status: versioning, MFADelete: mfa } = input.VersioningConfiguration ?? {};
    if (versioning === undefined) throw s3Errors.illegalVersioning();
    if (versioning !== "Enabled" && versioning !== "Suspended") throw s3Errors.malformedXml();
    if (mfa === "Enabled") throw s3Errors.notBuilt("MFA delete");
    await reviseSettings(documents, call, input, () => ({ versioning }));
    return {};
  };

  return { GetBucketVersioning, PutBucketVersioning };
}
