import type * as client from "@aws-sdk/client-iam";
import { type Documents, RevisionConflict } from "#storage/documents";
import type { Handler, OperationsOf } from "#wire/operation";
import { revise } from "../../revise.ts";
import { boundaryUses, boundBy } from "../boundaries.ts";
import type { IamDeps } from "../deps.ts";
import { iamErrors } from "../errors.ts";
import { LIMITS } from "../limits.ts";
import { findManagedPolicy, MANAGED_POLICIES, managedPolicyArn } from "../managed-policies.ts";
import type { ManagedPolicy } from "../managed-policies.ts";
import { checkPolicyDocument, policySize } from "../policy-document.ts";
import { requireRoom } from "../quotas.ts";
import type { HolderKind, PolicyDocument, PolicyVersionDocument } from "../store.ts";
import {
  addTags,
  attachedTo,
  findPolicy,
  keys,
  paginate,
  policyArn,
  policyExists,
  removeTags,
  requirePolicy,
  requireHolder,
  tagList,
  tagMember,
  valuesUnder,
  where,
} from "../store.ts";

type Iam = typeof client;

export function policyOperations({ documents, clock, ids }: IamDeps) {
  const CreatePolicy: Handler<Iam, "CreatePolicy"> = async (input, call) => {
    const [name, text, path, now] = [
      input.PolicyName ?? "",
      input.PolicyDocument ?? "",
      input.Path ?? "/",
      clock.now(),
    ];
    checkManaged(text);
    const policy: PolicyDocument = {
      name,
      id: `ANPA${ids.base32(17)}`,
      path,
      created: now,
      updated: now,
      defaultVersion: 1,
      lastVersion: 1,
      tags: addTags({}, input.Tags),
      ...(input.Description === undefined ? {} : { description: input.Description }),
    };
    const version: PolicyVersionDocument = { number: 1, created: now, document: text };
    const key = keys.policy(call.account, name);
    requireRoom(documents, key);
    try {
      await documents.commit([
        { key, value: policy, expected: 0 },
        { key: [...keys.versions(call.account, name), 1], value: version },
      ]);
    } catch (error) {
      if (error instanceof RevisionConflict) throw iamErrors.policyExists(name);
      throw error;
    }
    return { Policy: { ...describePolicy(documents, call.account, policy), ...tagMember(policy.tags) } };
  };

  const GetPolicy: Handler<Iam, "GetPolicy"> = (input, call) => {
    const policy = findPolicy(documents, call.account, input.PolicyArn)?.value;
    if (policy !== undefined)
      return {
        Policy: {
          ...describePolicy(documents, call.account, policy),
          ...descriptionMember(policy),
          Tags: tagList(policy.tags),
        },
      };
    const managed = findManagedPolicy(input.PolicyArn ?? "");
    if (managed === undefined) throw iamErrors.policyMissing(input.PolicyArn ?? "");
    return { Policy: { ...describeManaged(call.account, managed), Tags: [] } };
  };

  const ListPolicies: Handler<Iam, "ListPolicies"> = (input, { account }) => {
    const prefix = input.PathPrefix ?? "/";
    const scope = input.Scope ?? "All";
    const local = scope === "AWS" ? [] : valuesUnder<PolicyDocument>(documents, keys.policies(account));
    const all = [
      ...Array.from(local, (policy) => ({
        arn: policyArn(account, policy),
        path: policy.path,
        read: () => describePolicy(documents, account, policy),
      })),
      ...(scope === "Local" ? [] : MANAGED_POLICIES).map((policy) => ({
        arn: managedPolicyArn(policy),
        path: policy.path,
        read: () => describeManaged(account, policy),
      })),
    ].sort((a, b) => (a.arn < b.arn ? -1 : Number(a.arn > b.arn)));
    // Permissions boundaries are not counted as attachments.
    const bounds = input.PolicyUsageFilter === "PermissionsBoundary";
    const matching = where(
      all,
      ({ arn, path }) =>
        path.startsWith(prefix) &&
        (!bounds || boundaryUses(documents, account, arn) > 0) &&
        (bounds || input.OnlyAttached !== true || attachments(documents, account, arn).length > 0),
    );
    const { items, paging } = paginate(input, matching, ({ arn }) => arn);
    return { Policies: items.map(({ read }) => read()), ...paging };
  };

  const DeletePolicy: Handler<Iam, "DeletePolicy"> = async (input, call) => {
    const arn = input.PolicyArn ?? "";
    refuseManaged(arn);
    const { value } = requirePolicy(documents, call.account, arn);
    const key = keys.policy(call.account, value.name);
    await revise<PolicyDocument>(documents, key, () => {
      requirePolicy(documents, call.account, arn);
      if (attachments(documents, call.account, arn).length + boundaryUses(documents, call.account, arn) > 0)
        throw iamErrors.policyAttached();
      const versions = [...documents.list<PolicyVersionDocument>(keys.versions(call.account, value.name))];
      if (versions.length > 1) throw iamErrors.policyHasVersions();
      return [
        { key, delete: true },
        ...versions.map((version) => ({ key: version.key, delete: true }) as const),
      ];
    });
    return {};
  };

  const ListEntitiesForPolicy: Handler<Iam, "ListEntitiesForPolicy"> = (input, call) => {
    const arn = input.PolicyArn ?? "";
    if (!policyExists(documents, call.account, arn)) throw iamErrors.policyMissing(arn);
    const prefix = input.PathPrefix ?? "/";
    const kinds: readonly HolderKind[] = ["group", "role", "user"];
    const usage = input.PolicyUsageFilter;
    const namesOf = (kind: HolderKind): Set<string> =>
      new Set([
        ...(usage === "PermissionsBoundary" ? [] : attachedTo(documents, call.account, arn, kind)),
        ...(usage === "PermissionsPolicy" || kind === "group"
          ? []
          : boundBy(documents, call.account, arn, kind)),
      ]);
    const all = kinds
      .filter((kind) => wants(input.EntityFilter, kind))
      .flatMap((kind) =>
        [...namesOf(kind)].sort().map((name) => ({
          kind,
          ...requireHolder(documents, kind, call.account, name).value,
        })),
      )
      .filter(({ path }) => path.startsWith(prefix));
    const { items, paging } = paginate(input, all, ({ kind, name }) => `${kind}/${name}`);
    const of = (kind: HolderKind) => items.filter((item) => item.kind === kind);
    return {
      PolicyGroups: of("group").map(({ name, id }) => ({ GroupName: name, GroupId: id })),
      PolicyUsers: of("user").map(({ name, id }) => ({ UserName: name, UserId: id })),
      PolicyRoles: of("role").map(({ name, id }) => ({ RoleName: name, RoleId: id })),
      ...paging,
    };
  };

  const TagPolicy: Handler<Iam, "TagPolicy"> = async (input, call) => {
    await revisePolicy(call.account, input.PolicyArn, (policy) => ({
      ...policy,
      tags: addTags(policy.tags, input.Tags),
    }));
    return {};
  };

  const UntagPolicy: Handler<Iam, "UntagPolicy"> = async (input, call) => {
    await revisePolicy(call.account, input.PolicyArn, (policy) => ({
      ...policy,
      tags: removeTags(policy.tags, input.TagKeys),
    }));
    return {};
  };

  const ListPolicyTags: Handler<Iam, "ListPolicyTags"> = (input, call) => {
    const { tags } = requirePolicy(documents, call.account, input.PolicyArn).value;
    const { items, paging } = paginate(input, tagList(tags), ({ Key }) => Key);
    return { Tags: items, ...paging };
  };

  async function revisePolicy(account: string, arn = "", change: (policy: PolicyDocument) => PolicyDocument) {
    refuseManaged(arn);
    const { key } = requirePolicy(documents, account, arn);
    await revise<PolicyDocument>(documents, key, () => [
      { key, value: change(requirePolicy(documents, account, arn).value) },
    ]);
  }

  function describeManaged(account: string, policy: ManagedPolicy) {
    const arn = managedPolicyArn(policy);
    return {
      PolicyName: policy.name,
      ...(policy.id === undefined ? {} : { PolicyId: policy.id }),
      Arn: arn,
      Path: policy.path,
      DefaultVersionId: "v1",
      AttachmentCount: attachments(documents, account, arn).length,
      PermissionsBoundaryUsageCount: boundaryUses(documents, account, arn),
      IsAttachable: true,
    };
  }

  return {
    CreatePolicy,
    GetPolicy,
    ListPolicies,
    DeletePolicy,
    ListEntitiesForPolicy,
    TagPolicy,
    UntagPolicy,
    ListPolicyTags,
  } satisfies OperationsOf<Iam>;
}

/** What every response shows of a customer's policy. */
export function describePolicy(documents: Documents, account: string, policy: PolicyDocument) {
  const arn = policyArn(account, policy);
  return {
    PolicyName: policy.name,
    PolicyId: policy.id,
    Arn: arn,
    Path: policy.path,
    DefaultVersionId: `v${policy.defaultVersion}`,
    AttachmentCount: attachments(documents, account, arn).length,
    PermissionsBoundaryUsageCount: boundaryUses(documents, account, arn),
    IsAttachable: true,
    CreateDate: new Date(policy.created),
    UpdateDate: new Date(policy.updated),
  };
}

/** The names of what a policy is attached to. */
function attachments(documents: Documents, account: string, arn: string): readonly string[] {
  const kinds: readonly HolderKind[] = ["role", "user", "group"];
  return kinds.flatMap((kind) => attachedTo(documents, account, arn, kind));
}

function wants(filter: string | undefined, kind: HolderKind): boolean {
  return filter === undefined || filter.toLowerCase() === kind;
}

/** @throws AwsError MalformedPolicyDocument, LimitExceeded */
export function checkManaged(document: string): void {
  checkPolicyDocument(document, "identity");
  if (policySize(document) > LIMITS.managedPolicySize)
    throw iamErrors.quota("PolicySize", LIMITS.managedPolicySize);
}

/** AWS's own policies are read-only. @throws AwsError AccessDenied */
export function refuseManaged(arn: string): void {
  if (findManagedPolicy(arn) !== undefined) throw iamErrors.managedByAws(arn);
}

/** The member of a response that leaves it out where there is no description. */
export function descriptionMember(policy: PolicyDocument) {
  return policy.description === undefined ? {} : { Description: policy.description };
}
