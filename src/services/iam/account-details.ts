import type * as client from "@aws-sdk/client-iam";
import type { Documents } from "#storage/documents";
import type { IamDeps } from "./deps.ts";
import { roleLastUsed } from "./last-used.ts";
import { describeGroup } from "./operations/groups.ts";
import { describeInstanceProfile, type InstanceProfileDocument } from "./operations/instance-profiles.ts";
import { describePolicy, descriptionMember } from "./operations/policies.ts";
import { describeVersion } from "./operations/policy-versions.ts";
import { describeRole } from "./operations/roles.ts";
import { boundaryMember, describeUser } from "./operations/users.ts";
import { encodeDocument } from "./policy-document.ts";
import {
  keys,
  tagMember,
  valuesUnder,
  where,
  type AttachmentDocument,
  type GroupDocument,
  type HolderKind,
  type InlinePolicyDocument,
  type PolicyDocument,
  type PolicyVersionDocument,
  type RoleDocument,
  type UserDocument,
} from "./store.ts";

/** One principal or policy of an account with all that hangs from it, as GetAccountAuthorizationDetails shows it. */
export type AccountDetail =
  | { readonly kind: "User"; readonly detail: client.UserDetail }
  | { readonly kind: "Group"; readonly detail: client.GroupDetail }
  | { readonly kind: "Role"; readonly detail: client.RoleDetail }
  | { readonly kind: "LocalManagedPolicy"; readonly detail: client.ManagedPolicyDetail };

/** Everything of an account in the order of its pages, worked out as it is asked for. Each has a key that orders it. */
export function* accountDetails(
  { documents, lastUsed }: Pick<IamDeps, "documents" | "lastUsed">,
  account: string,
  wants: (kind: AccountDetail["kind"]) => boolean,
): Generator<{ readonly order: string; readonly read: () => AccountDetail }> {
  function* each<T extends { readonly name: string }>(
    rank: number,
    all: Iterable<T>,
    read: (one: T) => AccountDetail,
  ) {
    for (const one of all) yield { order: `${rank}/${one.name.toLowerCase()}`, read: () => read(one) };
  }

  if (wants("User"))
    yield* each(1, valuesUnder<UserDocument>(documents, keys.users(account)), (user) => ({
      kind: "User",
      detail: userDetail(documents, account, user),
    }));
  if (wants("Group"))
    yield* each(2, valuesUnder<GroupDocument>(documents, keys.groups(account)), (group) => ({
      kind: "Group",
      detail: groupDetail(documents, account, group),
    }));
  if (wants("Role"))
    yield* each(3, valuesUnder<RoleDocument>(documents, keys.roles(account)), (role) => ({
      kind: "Role",
      detail: {
        ...roleDetail(documents, account, role),
        RoleLastUsed: roleLastUsed(lastUsed.holder(account, role.id)),
      },
    }));
  if (wants("LocalManagedPolicy"))
    yield* each(4, valuesUnder<PolicyDocument>(documents, keys.policies(account)), (policy) => ({
      kind: "LocalManagedPolicy",
      detail: policyDetail(documents, account, policy),
    }));
}

function userDetail(documents: Documents, account: string, user: UserDocument): client.UserDetail {
  return {
    ...describeUser(account, user),
    UserPolicyList: inlinePolicies(documents, account, "user", user.name),
    GroupList: Array.from(documents.list(keys.memberships(account, user.name)), ({ key }) =>
      String(key.at(-1)),
    ),
    AttachedManagedPolicies: attachedPolicies(documents, account, "user", user.name),
    ...boundaryMember(user),
    ...tagMember(user.tags),
  };
}

function groupDetail(documents: Documents, account: string, group: GroupDocument): client.GroupDetail {
  return {
    ...describeGroup(account, group),
    GroupPolicyList: inlinePolicies(documents, account, "group", group.name),
    AttachedManagedPolicies: attachedPolicies(documents, account, "group", group.name),
  };
}

function roleDetail(documents: Documents, account: string, role: RoleDocument): client.RoleDetail {
  return {
    ...describeRole(account, role),
    InstanceProfileList: Array.from(
      where(
        valuesUnder<InstanceProfileDocument>(documents, keys.instanceProfiles(account)),
        (profile) => profile.role === role.name,
      ),
      (profile) => describeInstanceProfile(documents, account, profile),
    ),
    RolePolicyList: inlinePolicies(documents, account, "role", role.name),
    AttachedManagedPolicies: attachedPolicies(documents, account, "role", role.name),
    ...boundaryMember(role),
    ...tagMember(role.tags),
  };
}

function policyDetail(
  documents: Documents,
  account: string,
  policy: PolicyDocument,
): client.ManagedPolicyDetail {
  return {
    ...describePolicy(documents, account, policy),
    ...descriptionMember(policy),
    PolicyVersionList: Array.from(
      valuesUnder<PolicyVersionDocument>(documents, keys.versions(account, policy.name)),
      (version) => ({
        Document: encodeDocument(version.document),
        ...describeVersion(version, version.number === policy.defaultVersion),
      }),
    ).toReversed(),
  };
}

function inlinePolicies(documents: Documents, account: string, kind: HolderKind, name: string) {
  return Array.from(
    valuesUnder<InlinePolicyDocument>(documents, keys.inline(account, kind, name)),
    (policy) => ({ PolicyName: policy.name, PolicyDocument: encodeDocument(policy.document) }),
  );
}

function attachedPolicies(documents: Documents, account: string, kind: HolderKind, name: string) {
  return Array.from(
    valuesUnder<AttachmentDocument>(documents, keys.attached(account, kind, name)),
    ({ policyArn: arn }) => ({ PolicyName: arn.slice(arn.lastIndexOf("/") + 1), PolicyArn: arn }),
  );
}
