import type * as client from "@aws-sdk/client-s3";
import { AwsError } from "#core/errors";
import type { CallContext, Handler } from "#wire/operation";
import { s3Errors } from "../errors.ts";
import type { S3Deps } from "../deps.ts";
import { isPublic, requirePolicy } from "../policy.ts";
import { reviseSettings } from "../settings.ts";
import { bucketArn, requireBucket } from "../store.ts";
import { requireOwnership } from "./buckets.ts";

type S3 = typeof client;

/** Bucket policies, Block Public Access and Object Ownership. */
export function accessOperations({ documents }: S3Deps) {
  const PutBucketPolicy: Handler<S3, "PutBucketPolicy"> = async (input, call) => {
    const bucket = requireBucket(documents, call, input).value;
    const text = input.Policy ?? "";
    const statements = requirePolicy(text, bucket.name);
    await reviseSettings(documents, call, input, ({ publicAccessBlock }) => {
      if (publicAccessBlock?.BlockPublicPolicy === true && isPublic(statements))
        throw publicPolicyBlocked(call, bucketArn(bucket));
      return { policy: text };
    });
    return {};
  };

  const GetBucketPolicy: Handler<S3, "GetBucketPolicy"> = (input, call) => {
    const bucket = requireBucket(documents, call, input).value;
    return { Policy: policyOf(bucket.settings.policy, bucket.name) };
  };

  const GetBucketPolicyStatus: Handler<S3, "GetBucketPolicyStatus"> = (input, call) => {
    const bucket = requireBucket(documents, call, input).value;
    const policy = policyOf(bucket.settings.policy, bucket.name);
    return { PolicyStatus: { IsPublic: isPublic(requirePolicy(policy, bucket.name)) } };
  };

  const DeleteBucketPolicy: Handler<S3, "DeleteBucketPolicy"> = async (input, call) => {
    await reviseSettings(documents, call, input, () => ({ policy: undefined }));
    return {};
  };

  const PutPublicAccessBlock: Handler<S3, "PutPublicAccessBlock"> = async (input, call) => {
    requireBucket(documents, call, input);
    const wanted = input.PublicAccessBlockConfiguration;
    if (wanted === undefined || Object.values(wanted).every((value) => value === undefined))
      throw s3Errors.malformedXml();
    const publicAccessBlock = {
      BlockPublicAcls: wanted.BlockPublicAcls ?? false,
      IgnorePublicAcls: wanted.IgnorePublicAcls ?? false,
      BlockPublicPolicy: wanted.BlockPublicPolicy ?? false,
      RestrictPublicBuckets: wanted.RestrictPublicBuckets ?? false,
    };
    await reviseSettings(documents, call, input, () => ({ publicAccessBlock }));
    return {};
  };

  const GetPublicAccessBlock: Handler<S3, "GetPublicAccessBlock"> = (input, call) => {
    const bucket = requireBucket(documents, call, input).value;
    const { publicAccessBlock } = bucket.settings;
    if (publicAccessBlock === undefined)
      throw s3Errors.noConfiguration(
        "NoSuchPublicAccessBlockConfiguration",
        "The public access block configuration was not found",
        bucket.name,
      );
    return { PublicAccessBlockConfiguration: publicAccessBlock };
  };

  const DeletePublicAccessBlock: Handler<S3, "DeletePublicAccessBlock"> = async (input, call) => {
    await reviseSettings(documents, call, input, () => ({ publicAccessBlock: undefined }));
    return {};
  };

  const PutBucketOwnershipControls: Handler<S3, "PutBucketOwnershipControls"> = async (input, call) => {
    requireBucket(documents, call, input);
    const [rule, more] = input.OwnershipControls?.Rules ?? [];
    if (rule?.ObjectOwnership === undefined || more !== undefined) throw s3Errors.malformedXml();
    const ownership = asMalformed(() => requireOwnership(rule.ObjectOwnership));
    await reviseSettings(documents, call, input, ({ acl }) => {
      if (ownership === "BucketOwnerEnforced" && acl !== undefined) throw s3Errors.aclsWithEnforcement();
      return { ownership };
    });
    return {};
  };

  const GetBucketOwnershipControls: Handler<S3, "GetBucketOwnershipControls"> = (input, call) => {
    const bucket = requireBucket(documents, call, input).value;
    const { ownership } = bucket.settings;
    if (ownership === undefined)
      throw s3Errors.noConfiguration(
        "OwnershipControlsNotFoundError",
        "The bucket ownership controls were not found",
        bucket.name,
      );
    return { OwnershipControls: { Rules: [{ ObjectOwnership: ownership }] } };
  };

  const DeleteBucketOwnershipControls: Handler<S3, "DeleteBucketOwnershipControls"> = async (input, call) => {
    await reviseSettings(documents, call, input, () => ({ ownership: undefined }));
    return {};
  };

  return {
    PutBucketPolicy,
    GetBucketPolicy,
    GetBucketPolicyStatus,
    DeleteBucketPolicy,
    PutPublicAccessBlock,
    GetPublicAccessBlock,
    DeletePublicAccessBlock,
    PutBucketOwnershipControls,
    GetBucketOwnershipControls,
    DeleteBucketOwnershipControls,
  };
}

function policyOf(policy: string | undefined, bucket: string): string {
  if (policy !== undefined) return policy;
  throw s3Errors.noConfiguration("NoSuchBucketPolicy", "The bucket policy does not exist", bucket);
}

/** A document with a wrong value in it is told as a wrong document. */
function asMalformed<T>(read: () => T): T {
  try {
    return read();
  } catch (problem) {
    if (problem instanceof AwsError) throw s3Errors.malformedXml();
    throw problem;
  }
}

function publicPolicyBlocked({ principal }: CallContext, arn: string): AwsError {
  return new AwsError(
    "AccessDenied",
    `User: ${principal.arn} is not authorized to perform: s3:PutBucketPolicy on resource: "${arn}" because public policies are prevented by the BlockPublicPolicy setting in S3 Block Public Access.`,
    { status: 403 },
  );
}
