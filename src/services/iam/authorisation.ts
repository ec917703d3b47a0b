import type { Tag } from "@aws-sdk/client-iam";
import type { UserPrincipal } from "#core/principal";
import type { Documents } from "#storage/documents";
import { oldAccessDenied } from "#wire/authorisation/denials";
import { tagListKeys } from "#wire/authorisation/request-keys";
import { each } from "#wire/authorisation/table";
import type { Question, ServiceAuthorisation } from "#wire/authorisation/types";
import type { CallContext } from "#wire/operation";
import { iamErrors } from "./errors.ts";
import type { Principals } from "./principals.ts";
import { keys, REGION } from "./store.ts";

/** The members that name what an operation is about, and those that condition keys are made of. */
interface Input {
  readonly RoleName?: string | undefined;
  readonly UserName?: string | undefined;
  readonly GroupName?: string | undefined;
  readonly PolicyName?: string | undefined;
  readonly PolicyArn?: string | undefined;
  readonly PolicySourceArn?: string | undefined;
  readonly Arn?: string | undefined;
  readonly InstanceProfileName?: string | undefined;
  readonly OpenIDConnectProviderArn?: string | undefined;
  readonly SAMLProviderArn?: string | undefined;
  readonly Name?: string | undefined;
  readonly ServerCertificateName?: string | undefined;
  readonly SerialNumber?: string | undefined;
  readonly VirtualMFADeviceName?: string | undefined;
  readonly AWSServiceName?: string | undefined;
  readonly Path?: string | undefined;
  readonly PathPrefix?: string | undefined;
  readonly Url?: string | undefined;
  readonly PermissionsBoundary?: string | undefined;
  readonly Tags?: readonly Tag[] | undefined;
  readonly TagKeys?: readonly string[] | undefined;
}

/*
 * Denials name most of what is there already by kind and name, and what is made or tagged by its ARN: as AWS's users quote
 * them, operation by operation.
 */
const MAKES_ROLES = "CreateRole TagRole UntagRole";
const MAKES_USERS = "CreateUser TagUser UntagUser";
const MAKES_INSTANCE_PROFILES = "CreateInstanceProfile TagInstanceProfile UntagInstanceProfile";
const ON_ROLES =
  "GetRole DeleteRole UpdateRole UpdateRoleDescription UpdateAssumeRolePolicy ListRoleTags " +
  "AttachRolePolicy DetachRolePolicy ListAttachedRolePolicies PutRolePolicy GetRolePolicy DeleteRolePolicy " +
  "ListRolePolicies PutRolePermissionsBoundary DeleteRolePermissionsBoundary ListInstanceProfilesForRole " +
  "DeleteServiceLinkedRole";
const ON_USERS =
  "GetUser DeleteUser UpdateUser ListUserTags AttachUserPolicy DetachUserPolicy " +
  "ListAttachedUserPolicies PutUserPolicy GetUserPolicy DeleteUserPolicy ListUserPolicies " +
  "PutUserPermissionsBoundary DeleteUserPermissionsBoundary ListGroupsForUser CreateAccessKey UpdateAccessKey " +
  "DeleteAccessKey ListAccessKeys GetAccessKeyLastUsed CreateLoginProfile GetLoginProfile UpdateLoginProfile DeleteLoginProfile " +
  "ChangePassword EnableMFADevice DeactivateMFADevice GetMFADevice ListMFADevices ResyncMFADevice " +
  "CreateServiceSpecificCredential UpdateServiceSpecificCredential DeleteServiceSpecificCredential " +
  "ResetServiceSpecificCredential ListServiceSpecificCredentials UploadSSHPublicKey GetSSHPublicKey " +
  "ListSSHPublicKeys UpdateSSHPublicKey DeleteSSHPublicKey UploadSigningCertificate ListSigningCertificates " +
  "UpdateSigningCertificate DeleteSigningCertificate";
const ON_GROUPS =
  "GetGroup DeleteGroup UpdateGroup AddUserToGroup RemoveUserFromGroup AttachGroupPolicy " +
  "DetachGroupPolicy ListAttachedGroupPolicies PutGroupPolicy GetGroupPolicy DeleteGroupPolicy ListGroupPolicies";
const ON_POLICIES =
  "CreatePolicy GetPolicy DeletePolicy CreatePolicyVersion GetPolicyVersion DeletePolicyVersion " +
  "ListPolicyVersions SetDefaultPolicyVersion ListEntitiesForPolicy TagPolicy UntagPolicy ListPolicyTags";
const ON_INSTANCE_PROFILES =
  "GetInstanceProfile DeleteInstanceProfile AddRoleToInstanceProfile RemoveRoleFromInstanceProfile ListInstanceProfileTags";
/** What is made with tags is tagged, too (IAM user guide, "Tags for AWS Identity and Access Management resources"). */
const MAKES_TAGGED = {
  CreateRole: "TagRole",
  CreateUser: "TagUser",
  CreatePolicy: "TagPolicy",
  CreateInstanceProfile: "TagInstanceProfile",
  CreateVirtualMFADevice: "TagMFADevice",
  CreateOpenIDConnectProvider: "TagOpenIDConnectProvider",
  CreateSAMLProvider: "TagSAMLProvider",
  UploadServerCertificate: "TagServerCertificate",
};
/** They work on all that is below a path. */
const LISTS = {
  ListUsers: "user",
  ListGroups: "group",
  ListRoles: "role",
  ListInstanceProfiles: "instance-profile",
  ListServerCertificates: "server-certificate",
  ListVirtualMFADevices: "mfa",
};

/** What IAM's operations need permission for (Service Authorization Reference, "AWS Identity and Access Management"). */
export function createIamAuthorisation(documents: Documents, principals: Principals): ServiceAuthorisation {
  /** ARNs have the path of what is there already. */
  function arnOf(
    kind: string,
    key: Parameters<Documents["get"]>[0],
    input: Input,
    call: CallContext,
    name = "",
  ) {
    const path = input.Path ?? documents.get<{ readonly path: string }>(key)?.value.path ?? "/";
    return `arn:aws:iam::${call.account}:${kind}${path}${name}`;
  }

  const role = (input: Input, call: CallContext) =>
    arnOf("role", keys.role(call.account, input.RoleName ?? ""), input, call, input.RoleName);
  const user = (input: Input, call: CallContext) => {
    // Without a name it is the caller itself.
    const own = call.principal.kind === "user" ? call.principal.userName : undefined;
    const name = input.UserName ?? own ?? "";
    return arnOf("user", keys.user(call.account, name), input, call, name);
  };
  const group = (input: Input, call: CallContext) =>
    arnOf("group", keys.group(call.account, input.GroupName ?? ""), input, call, input.GroupName);
  const policy = (input: Input, call: CallContext) =>
    input.PolicyArn ??
    arnOf("policy", keys.policy(call.account, input.PolicyName ?? ""), input, call, input.PolicyName);
  const profile = (input: Input, call: CallContext) =>
    arnOf(
      "instance-profile",
      keys.instanceProfile(call.account, input.InstanceProfileName ?? ""),
      input,
      call,
      input.InstanceProfileName,
    );

  const on = (
    operations: string,
    resource: (input: Input, call: CallContext) => string,
    shown?: (input: Input, call: CallContext) => string,
  ) =>
    each("iam", operations.split(" "), (input: Input, call) => ({
      resource: resource(input, call),
      ...(shown === undefined ? {} : { shown: shown(input, call) }),
      keys: conditionKeys(input),
    }));

  const table = {
    ...on(ON_ROLES, role, ({ RoleName = "" }) => `role ${RoleName}`),
    ...on(ON_USERS, user, (input, call) => `user ${user(input, call).split("/").at(-1)}`),
    ...on(ON_GROUPS, group, ({ GroupName = "" }) => `group ${GroupName}`),
    ...on(ON_POLICIES, policy, ({ PolicyArn, PolicyName = "" }) => `policy ${PolicyArn ?? PolicyName}`),
    ...on(
      ON_INSTANCE_PROFILES,
      profile,
      ({ InstanceProfileName = "" }) => `instance profile ${InstanceProfileName}`,
    ),
    ...on(MAKES_ROLES, role),
    ...on(MAKES_USERS, user),
    ...on("CreateGroup", group),
    ...on(MAKES_INSTANCE_PROFILES, profile),
    ...Object.fromEntries(
      Object.entries(LISTS).flatMap(([operation, kind]) =>
        Object.entries(
          on(
            operation,
            ({ PathPrefix = "/" }, { account }) => `arn:aws:iam::${account}:${kind}${PathPrefix}`,
          ),
        ),
      ),
    ),
    ...on(
      "ListPolicies",
      () => "*",
      ({ PathPrefix = "/" }) => `policy path ${PathPrefix}`,
    ),
    ...on(
      "CreateOpenIDConnectProvider",
      ({ Url = "" }, { account }) => `arn:aws:iam::${account}:oidc-provider/${Url.replace(/^\w+:\/\//, "")}`,
    ),
    ...on(
      "GetOpenIDConnectProvider DeleteOpenIDConnectProvider AddClientIDToOpenIDConnectProvider " +
        "RemoveClientIDFromOpenIDConnectProvider UpdateOpenIDConnectProviderThumbprint TagOpenIDConnectProvider " +
        "UntagOpenIDConnectProvider ListOpenIDConnectProviderTags",
      ({ OpenIDConnectProviderArn }) => OpenIDConnectProviderArn ?? "*",
    ),
    ...on(
      "CreateSAMLProvider GetSAMLProvider UpdateSAMLProvider DeleteSAMLProvider TagSAMLProvider UntagSAMLProvider " +
        "ListSAMLProviderTags",
      ({ SAMLProviderArn, Name = "" }, { account }) =>
        SAMLProviderArn ?? `arn:aws:iam::${account}:saml-provider/${Name}`,
    ),
    ...on(
      "CreateVirtualMFADevice DeleteVirtualMFADevice TagMFADevice UntagMFADevice ListMFADeviceTags",
      ({ SerialNumber, VirtualMFADeviceName = "", Path = "/" }, { account }) =>
        SerialNumber ?? `arn:aws:iam::${account}:mfa${Path}${VirtualMFADeviceName}`,
    ),
    ...on(
      "UploadServerCertificate GetServerCertificate UpdateServerCertificate DeleteServerCertificate " +
        "TagServerCertificate UntagServerCertificate ListServerCertificateTags",
      (input, call) =>
        arnOf(
          "server-certificate",
          [call.account, REGION, "server-certificate", (input.ServerCertificateName ?? "").toLowerCase()],
          input,
          call,
          input.ServerCertificateName,
        ),
    ),
    ...on(
      "SimulatePrincipalPolicy GetContextKeysForPrincipalPolicy",
      ({ PolicySourceArn }) => PolicySourceArn ?? "*",
    ),
    ...on("GenerateServiceLastAccessedDetails ListPoliciesGrantingServiceAccess", ({ Arn }) => Arn ?? "*"),
    ...on(
      "CreateServiceLinkedRole",
      ({ AWSServiceName = "" }, call) =>
        `arn:aws:iam::${call.account}:role/aws-service-role/${AWSServiceName}/*`,
    ),
  };

  return {
    prefix: "iam",
    denied: oldAccessDenied,
    shownForNone: () => "*",
    questions: {
      ...table,
      ...Object.fromEntries(
        Object.entries(MAKES_TAGGED).map(([operation, tagging]) => [
          operation,
          (input: Input, call: CallContext): readonly Question[] => {
            const questions = table[operation]?.(input as never, call) ?? [];
            if ((input.Tags ?? []).length === 0) return questions;
            return [
              ...questions,
              ...questions.map(({ resource, keys: given = {} }) => ({
                action: `iam:${tagging}`,
                resource,
                keys: given,
              })),
            ];
          },
        ]),
      ),
      AddRoleToInstanceProfile: (input: Input, call: CallContext): readonly Question[] => [
        {
          action: "iam:AddRoleToInstanceProfile",
          resource: profile(input, call),
          shown: `instance profile ${input.InstanceProfileName ?? ""}`,
        },
        {
          action: "iam:PassRole",
          resource: role(input, call),
          keys: { "iam:passedtoservice": "ec2.amazonaws.com" },
        },
      ],
    },
    requireCredentials(_operation, principal) {
      if (principal.kind === "federated-user" || (principal.kind === "user" && isUnproved(principal)))
        throw iamErrors.sessionWithoutMfa();
    },
    // A role's trust policy speaks of who may assume it.
    resourcePolicy: (arn) => (arn.includes(":role/") ? principals.trustDocumentOf(arn) : undefined),
    resourceTags(arn) {
      const [, , , , account = "", rest = ""] = arn.split(":");
      const [kind, name = ""] = [rest.split("/")[0], rest.split("/").at(-1)];
      const key =
        kind === "role"
          ? keys.role(account, name)
          : kind === "user"
            ? keys.user(account, name)
            : keys.policy(account, name);
      return documents.get<{ readonly tags?: Readonly<Record<string, string>> }>(key)?.value.tags;
    },
  };
}

/** Sessions of GetSessionToken without a code of a device call nothing of IAM (API reference). */
function isUnproved({ session }: UserPrincipal): boolean {
  return session !== undefined && session.mfaAt === undefined;
}

function conditionKeys(input: Input) {
  return {
    ...tagListKeys(input.Tags),
    ...(input.TagKeys === undefined ? {} : { "aws:tagkeys": input.TagKeys }),
    "iam:policyarn": input.PolicyArn,
    "iam:permissionsboundary": input.PermissionsBoundary,
    "iam:awsservicename": input.AWSServiceName,
  };
}
