import { AwsError } from "#core/errors";
import type { PolicyDocument } from "#policy/document";
import type { Documents } from "#storage/documents";
import { refusalText } from "#wire/authorisation/denials";
import type { Question, Refusal, ServiceAuthorisation, ServiceKeys } from "#wire/authorisation/types";
import type { CallContext } from "#wire/operation";
import { BUCKET_ACTIONS, OBJECT_ACTIONS, POLICY_OPERATIONS } from "./actions.ts";
import { s3Errors } from "./errors.ts";
import { isPublic, requirePolicy } from "./policy.ts";
import { LIMITS } from "./limits.ts";
import { type BucketDocument, findBucket, keys as s3Keys } from "./store.ts";

/** The members that name what an operation is about, and those that condition keys are made of. */
interface Input {
  readonly Bucket?: string | undefined;
  readonly Key?: string | undefined;
  readonly VersionId?: string | undefined;
  readonly CopySource?: string | undefined;
  readonly Prefix?: string | undefined;
  readonly Delimiter?: string | undefined;
  readonly MaxKeys?: number | undefined;
  readonly ACL?: string | undefined;
  readonly Tagging?: unknown;
  readonly StorageClass?: string | undefined;
  readonly ServerSideEncryption?: string | undefined;
  readonly CreateBucketConfiguration?: { readonly LocationConstraint?: string | undefined } | undefined;
  readonly Delete?:
    | {
        readonly Objects?:
          | readonly { readonly Key?: string | undefined; readonly VersionId?: string | undefined }[]
          | undefined;
      }
    | undefined;
}

/** What S3's operations need permission for (Service Authorization Reference, "Amazon S3"). */
export function createS3Authorisation(documents: Documents): ServiceAuthorisation {
  function question(
    action: string,
    bucket: string,
    key: string | undefined,
    keys: ServiceKeys,
    call: CallContext,
  ): Question {
    const resource = key === undefined ? `arn:aws:s3:::${bucket}` : `arn:aws:s3:::${bucket}/${key}`;
    const found = findBucket(documents, bucket)?.value;
    const owner = found?.account ?? call.account;
    const signed = call.principal.kind !== "anonymous";
    const stranger = !signed || (call.account !== owner && call.principal.kind !== "service");
    return {
      action: `s3:${action}`,
      resource,
      owner,
      keys: signed ? keys : { ...keys, "s3:signatureversion": undefined },
      ...(stranger && found !== undefined && isRestricted(found) ? { policy: NO_POLICY } : {}),
    };
  }

  const onBucket = (action: string) => (input: Input, call: CallContext) => [
    question(action, input.Bucket ?? "", undefined, keysOf(input), call),
  ];

  const onObject = (actions: (typeof OBJECT_ACTIONS)[string]) => (input: Input, call: CallContext) => {
    const { Bucket = "", Key = "", VersionId } = input;
    const [action, ofVersion = action] = actions;
    return [question(VersionId === undefined ? action : ofVersion, Bucket, Key, keysOf(input), call)];
  };

  /** What is read to be copied. */
  function source({ CopySource = "" }: Input, call: CallContext): readonly Question[] {
    const [, bucket = "", key = "", version] =
      /^\/?([^/]+)\/(.*?)(?:\?versionId=(.*))?$/s.exec(decoded(CopySource)) ?? [];
    return [question(version === undefined ? "GetObject" : "GetObjectVersion", bucket, key, {}, call)];
  }

  /** A key that is too long for one is the operation's to refuse. */
  const holds = (bucket: BucketDocument, key: string): boolean =>
    Buffer.byteLength(key) > LIMITS.keyBytes || documents.get(s3Keys.object(bucket, key)) !== undefined;

  /** Whether there is an object is for those to know who may list the bucket (S3 API, GetObject, "Permissions"). */
  const read = (input: Input, call: CallContext): readonly Question[] => {
    const { Bucket = "", Key = "", VersionId } = input;
    const asked = onObject(["GetObject", "GetObjectVersion"])(input, call);
    const bucket = findBucket(documents, Bucket)?.value;
    if (VersionId !== undefined || bucket === undefined || holds(bucket, Key)) return asked;
    return [...asked, ...onBucket("ListBucket")({ Bucket }, call)];
  };

  /** Writing an object with an access control list or tags needs the permissions to set these. */
  function put(input: Input, call: CallContext): readonly Question[] {
    const { Bucket = "", Key = "", ACL, Tagging } = input;
    const also = [
      ACL === undefined || isDelivery(input, call) ? [] : ["PutObjectAcl"],
      Tagging === undefined ? [] : ["PutObjectTagging"],
    ].flat();
    return ["PutObject", ...also].map((action) => question(action, Bucket, Key, keysOf(input), call));
  }

  return {
    prefix: "s3",
    denied,
    questions: {
      ...Object.fromEntries(
        Object.entries(BUCKET_ACTIONS).map(([operation, action]) => [operation, onBucket(action)]),
      ),
      ...Object.fromEntries(
        Object.entries(OBJECT_ACTIONS).map(([operation, actions]) => [operation, onObject(actions)]),
      ),
      ...Object.fromEntries(
        POLICY_OPERATIONS.map((operation) => [
          operation,
          // A bucket's root may always mend a policy that locks everybody out.
          (input: Input, call: CallContext) => {
            const asked = onBucket(operation)(input, call);
            return call.principal.kind === "root" && asked[0]?.owner === call.account ? [] : asked;
          },
        ]),
      ),
      ListBuckets: () => [{ action: "s3:ListAllMyBuckets", resource: "*" }],
      GetObject: read,
      HeadObject: read,
      PutObject: put,
      CreateMultipartUpload: put,
      CopyObject: (input: Input, call: CallContext) => [...put(input, call), ...source(input, call)],
      UploadPartCopy: (input: Input, call: CallContext) => [
        ...onObject(["PutObject"])(input, call),
        ...source(input, call),
      ],
      GetObjectAttributes: (input: Input, call: CallContext) => [
        ...onObject(["GetObject", "GetObjectVersion"])(input, call),
        ...onObject(["GetObjectAttributes", "GetObjectVersionAttributes"])(input, call),
      ],
      DeleteObjects: (input: Input, call: CallContext) =>
        (input.Delete?.Objects ?? []).flatMap(({ Key, VersionId }) =>
          onObject(["DeleteObject", "DeleteObjectVersion"])({ Bucket: input.Bucket, Key, VersionId }, call),
        ),
    },
    resourcePolicy: (arn) => findBucket(documents, bucketOf(arn))?.value.settings.policy,
    resourceTags: (arn) =>
      arn.includes("/") ? undefined : findBucket(documents, bucketOf(arn))?.value.settings.tags,
  };
}

/**
 * What AWS's services write for a bucket's owner needs no permission to set access control lists: the policies that AWS
 * gives for exports of logs (CloudWatch Logs user guide, "Exporting log data to Amazon S3") allow `s3:PutObject` alone.
 */
function isDelivery({ ACL }: Input, { principal }: CallContext): boolean {
  return ACL === "bucket-owner-full-control" && principal.kind === "service";
}

/** RestrictPublicBuckets leaves what a public policy grants to the bucket's account and to services. */
function isRestricted({ name, settings: { publicAccessBlock, policy } }: BucketDocument): boolean {
  if (publicAccessBlock?.RestrictPublicBuckets !== true || policy === undefined) return false;
  return isPublic(requirePolicy(policy, name));
}

const NO_POLICY: PolicyDocument = { Version: "2012-10-17", Statement: [] };

function keysOf(input: Input): ServiceKeys {
  return {
    "s3:signatureversion": "AWS4-HMAC-SHA256",
    "s3:prefix": input.Prefix,
    "s3:delimiter": input.Delimiter,
    "s3:max-keys": input.MaxKeys === undefined ? undefined : String(input.MaxKeys),
    "s3:versionid": input.VersionId,
    "s3:x-amz-acl": input.ACL,
    "s3:x-amz-copy-source": input.CopySource,
    "s3:x-amz-storage-class": input.StorageClass,
    "s3:x-amz-server-side-encryption": input.ServerSideEncryption,
    "s3:locationconstraint": input.CreateBucketConfiguration?.LocationConstraint,
    ...tagsOf(input.Tagging),
  };
}

/** PutObject has its tags as a query string; the tagging operations as a list, which `aws:TagKeys` does not speak of. */
function tagsOf(tagging: unknown): ServiceKeys {
  if (typeof tagging !== "string") return {};
  const tags = [...new URLSearchParams(tagging)];
  return {
    ...Object.fromEntries(tags.map(([key, value]) => [`s3:requestobjecttag/${key.toLowerCase()}`, value])),
    "s3:requestobjecttagkeys": tags.map(([key]) => key),
  };
}

function bucketOf(arn: string): string {
  return arn.slice("arn:aws:s3:::".length).split("/", 1)[0] ?? "";
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** S3 quotes the resource, unlike all others. */
function denied(refusal: Refusal): AwsError {
  if (refusal.principal === undefined) return s3Errors.accessDenied();
  const text = refusalText(refusal);
  const { resource } = refusal.question;
  const quoted =
    resource === "*" ? text : text.replace(`on resource: ${resource} `, `on resource: "${resource}" `);
  return new AwsError("AccessDenied", quoted, { status: 403 });
}
