import type * as client from "@aws-sdk/client-s3";
import type { Handler } from "#wire/operation";
import {
  type AclInput,
  defaultGrants,
  isOwnersAlone,
  isPublicGrant,
  readAclHeaders,
  readGrantList,
} from "../acls.ts";
import type { S3Deps } from "../deps.ts";
import { s3Errors } from "../errors.ts";
import { requireVersion } from "../reading.ts";
import { reviseSettings } from "../settings.ts";
import { type BucketDocument, ownerId, requireBucket } from "../store.ts";
import { shownId } from "./objects.ts";

type S3 = typeof client;

export function aclOperations({ documents, versions, events }: S3Deps) {
  const GetBucketAcl: Handler<S3, "GetBucketAcl"> = (input, call) => {
    const bucket = requireBucket(documents, call, input).value;
    return shown(bucket, bucket.settings.acl);
  };

  const PutBucketAcl: Handler<S3, "PutBucketAcl"> = async (input, call) => {
    requireBucket(documents, call, input);
    await reviseSettings(documents, call, input, (_, bucket) => ({ acl: readAcl(input, bucket) }));
    return {};
  };

  const GetObjectAcl: Handler<S3, "GetObjectAcl"> = (input, call) => {
    const bucket = requireBucket(documents, call, input).value;
    const object = requireVersion(versions, bucket, input.Key ?? "", input.VersionId, "GET").value;
    return shown(bucket, object.acl);
  };

  const PutObjectAcl: Handler<S3, "PutObjectAcl"> = async (input, call) => {
    const { Key: key = "", VersionId: versionId } = input;
    const bucket = requireBucket(documents, call, input).value;
    await versions.revise(
      bucket.name,
      (of) => requireVersion(versions, of, key, versionId, "PUT"),
      (object) => {
        const { acl: _, ...rest } = object;
        const acl = readAcl(input, bucket);
        return acl === undefined ? rest : { ...rest, acl };
      },
      (object, of) =>
        events.messages(
          of,
          { name: "ObjectAcl:Put", key, etag: object.etag, versionId: shownId(object.versionId) },
          call,
        ),
    );
    return {};
  };

  return { GetBucketAcl, PutBucketAcl, GetObjectAcl, PutObjectAcl };
}

function shown(bucket: BucketDocument, acl: readonly client.Grant[] | undefined) {
  return { Owner: { ID: ownerId(bucket.account) }, Grants: [...(acl ?? defaultGrants(bucket.account))] };
}

/** @returns undefined for the owner's control alone. @throws AwsError */
function readAcl(
  input: AclInput & { readonly AccessControlPolicy?: client.AccessControlPolicy | undefined },
  bucket: BucketDocument,
): readonly client.Grant[] | undefined {
  const { AccessControlPolicy: policy } = input;
  const header = readAclHeaders(input, bucket.account);
  if (header !== undefined && policy !== undefined) throw s3Errors.unexpectedContent();
  if (header === undefined && policy === undefined) throw s3Errors.missingHeader("x-amz-acl");
  const grants = header ?? readPolicy(policy ?? {}, bucket);
  const { ownership, publicAccessBlock } = bucket.settings;
  const ownersAlone = isOwnersAlone(grants, bucket.account);
  if (ownership === "BucketOwnerEnforced" && !ownersAlone) throw s3Errors.aclsDisabled();
  if (publicAccessBlock?.BlockPublicAcls === true && grants.some(isPublicGrant))
    throw s3Errors.accessDenied();
  return ownersAlone ? undefined : grants;
}

function readPolicy(
  { Owner, Grants }: client.AccessControlPolicy,
  bucket: BucketDocument,
): readonly client.Grant[] {
  if (Owner?.ID === undefined || Grants === undefined) throw s3Errors.malformedAcl();
  if (Owner.ID !== ownerId(bucket.account))
    throw s3Errors.invalidArgument("Invalid id", "CanonicalUser/ID", Owner.ID);
  return readGrantList(Grants);
}
