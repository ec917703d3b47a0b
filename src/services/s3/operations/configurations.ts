import type * as client from "@aws-sdk/client-s3";
import type { Handler } from "#wire/operation";
import type { S3Deps } from "../deps.ts";
import { s3Errors } from "../errors.ts";
import { reviseSettings } from "../settings.ts";
import { requireBucket } from "../store.ts";

type S3 = typeof client;

/**
 * Configurations that nothing here would obey. They can be asked for, and are as in a bucket that has none; to put one
 * is refused, so that nobody relies on what does not happen. Encryption is the exception: S3's own is all there is.
 */
export function configurationOperations({ documents }: S3Deps) {
  const GetBucketEncryption: Handler<S3, "GetBucketEncryption"> = (input, call) => {
    const { encryption } = requireBucket(documents, call, input).value.settings;
    return { ServerSideEncryptionConfiguration: encryption ?? DEFAULT_ENCRYPTION };
  };

  const PutBucketEncryption: Handler<S3, "PutBucketEncryption"> = async (input, call) => {
    requireBucket(documents, call, input);
    const [rule, more] = input.ServerSideEncryptionConfiguration?.Rules ?? [];
    if (rule === undefined || more !== undefined) throw s3Errors.malformedXml();
    const { SSEAlgorithm: algorithm, KMSMasterKeyID: key } = rule.ApplyServerSideEncryptionByDefault ?? {};
    if (algorithm === undefined) throw s3Errors.malformedXml();
    if (algorithm === "AES256" && key !== undefined)
      throw s3Errors.invalidArgument(
        "a KMSMasterKeyID is not applicable if the default sse algorithm is not aws:kms or aws:kms:dsse",
        "ApplyServerSideEncryptionByDefault",
      );
    if (algorithm === "aws:kms" || algorithm === "aws:kms:dsse")
      throw s3Errors.notBuilt(`Encryption with ${algorithm}`);
    if (algorithm !== "AES256") throw s3Errors.malformedXml();
    const encryption = { Rules: [{ ...rule, BucketKeyEnabled: rule.BucketKeyEnabled ?? false }] };
    await reviseSettings(documents, call, input, () => ({ encryption }));
    return {};
  };

  const DeleteBucketEncryption: Handler<S3, "DeleteBucketEncryption"> = async (input, call) => {
    await reviseSettings(documents, call, input, () => ({ encryption: undefined }));
    return {};
  };

  const GetBucketWebsite: Handler<S3, "GetBucketWebsite"> = (input, call) => {
    const { name } = requireBucket(documents, call, input).value;
    throw s3Errors.noConfiguration(
      "NoSuchWebsiteConfiguration",
      "The specified bucket does not have a website configuration",
      name,
    );
  };

  const PutBucketWebsite: Handler<S3, "PutBucketWebsite"> = (input, call) => {
    requireBucket(documents, call, input);
    throw s3Errors.notBuilt("Website hosting");
  };

  const GetBucketReplication: Handler<S3, "GetBucketReplication"> = (input, call) => {
    const { name } = requireBucket(documents, call, input).value;
    throw s3Errors.noConfiguration(
      "ReplicationConfigurationNotFoundError",
      "The replication configuration was not found",
      name,
    );
  };

  const PutBucketReplication: Handler<S3, "PutBucketReplication"> = (input, call) => {
    const { settings } = requireBucket(documents, call, input).value;
    if (settings.versioning !== "Enabled")
      throw s3Errors.invalidRequest(
        "Versioning must be 'Enabled' on the bucket to apply a replication configuration",
      );
    throw s3Errors.notBuilt("Replication");
  };

  const GetBucketLogging: Handler<S3, "GetBucketLogging"> = (input, call) => {
    requireBucket(documents, call, input);
    return {};
  };

  const PutBucketLogging: Handler<S3, "PutBucketLogging"> = (input, call) => {
    requireBucket(documents, call, input);
    if (input.BucketLoggingStatus?.LoggingEnabled !== undefined)
      throw s3Errors.notBuilt("Server access logging");
    return {};
  };

  const GetBucketAccelerateConfiguration: Handler<S3, "GetBucketAccelerateConfiguration"> = (input, call) => {
    requireBucket(documents, call, input);
    return {};
  };

  const PutBucketAccelerateConfiguration: Handler<S3, "PutBucketAccelerateConfiguration"> = (input, call) => {
    const { name } = requireBucket(documents, call, input).value;
    const status = input.AccelerateConfiguration?.Status;
    if (name.includes("."))
      throw s3Errors.invalidRequest(
        "S3 Transfer Acceleration is not supported for buckets with periods (.) in their names",
      );
    if (status !== "Enabled" && status !== "Suspended") throw s3Errors.malformedXml();
    throw s3Errors.notBuilt("Transfer Acceleration");
  };

  const GetBucketRequestPayment: Handler<S3, "GetBucketRequestPayment"> = (input, call) => {
    requireBucket(documents, call, input);
    return { Payer: "BucketOwner" };
  };

  const PutBucketRequestPayment: Handler<S3, "PutBucketRequestPayment"> = (input, call) => {
    requireBucket(documents, call, input);
    const payer = input.RequestPaymentConfiguration?.Payer;
    if (payer === "Requester") throw s3Errors.notBuilt("Requester Pays");
    if (payer !== "BucketOwner") throw s3Errors.malformedXml();
    return {};
  };

  const GetObjectLockConfiguration: Handler<S3, "GetObjectLockConfiguration"> = (input, call) => {
    const { name } = requireBucket(documents, call, input).value;
    throw s3Errors.noConfiguration(
      "ObjectLockConfigurationNotFoundError",
      "Object Lock configuration does not exist for this bucket",
      name,
    );
  };

  /** To remove what is not there succeeds. */
  const nothingToDelete = (
    input: { readonly Bucket?: string | undefined; readonly ExpectedBucketOwner?: string | undefined },
    call: Parameters<Handler<S3, "DeleteBucketWebsite">>[1],
  ) => {
    requireBucket(documents, call, input);
    return {};
  };
  const DeleteBucketWebsite: Handler<S3, "DeleteBucketWebsite"> = nothingToDelete;
  const DeleteBucketReplication: Handler<S3, "DeleteBucketReplication"> = nothingToDelete;

  return {
    GetBucketEncryption,
    PutBucketEncryption,
    DeleteBucketEncryption,
    GetBucketWebsite,
    PutBucketWebsite,
    DeleteBucketWebsite,
    GetBucketReplication,
    PutBucketReplication,
    DeleteBucketReplication,
    GetBucketLogging,
    PutBucketLogging,
    GetBucketAccelerateConfiguration,
    PutBucketAccelerateConfiguration,
    GetBucketRequestPayment,
    PutBucketRequestPayment,
    GetObjectLockConfiguration,
  };
}

/** What every bucket has unless it is changed ("Setting default server-side encryption"). */
const DEFAULT_ENCRYPTION: client.ServerSideEncryptionConfiguration = {
  Rules: [{ ApplyServerSideEncryptionByDefault: { SSEAlgorithm: "AES256" }, BucketKeyEnabled: false }],
};
