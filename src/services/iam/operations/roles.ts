import type * as client from "@aws-sdk/client-iam";
import type { Change } from "#storage/documents";
import type { Handler, OperationsOf } from "#wire/operation";
import { revise } from "../../revise.ts";
import { boundaryChanges } from "../boundaries.ts";
import type { IamDeps } from "../deps.ts";
import { iamErrors } from "../errors.ts";
import { roleLastUsed } from "../last-used.ts";
import { LIMITS } from "../limits.ts";
import { checkPolicyDocument, encodeDocument, policySize } from "../policy-document.ts";
import { requireRoom } from "../quotas.ts";
import type { RoleDocument } from "../store.ts";
import {
  addTags,
  keys,
  paginate,
  removeTags,
  requireRole,
  roleArn,
  tagList,
  tagMember,
  valuesUnder,
  where,
} from "../store.ts";
import { boundaryMember } from "./users.ts";

type Iam = typeof client;

export function roleOperations({ documents, clock, ids, lastUsed }: IamDeps) {
  const CreateRole: Handler<Iam, "CreateRole"> = async (input, call) => {
    const name = input.RoleName ?? "";
    const trust = input.AssumeRolePolicyDocument ?? "";
    checkTrust(trust);
    const tags = addTags({}, input.Tags);
    const role: RoleDocument = {
      name,
      id: `AROA${ids.base32(17)}`,
      path: input.Path ?? "/",
      created: clock.now(),
      assumeRolePolicy: trust,
      maxSessionSeconds: input.MaxSessionDuration ?? LIMITS.sessionSeconds,
      tags,
      ...(input.Description === undefined ? {} : { description: input.Description }),
      ...(input.PermissionsBoundary === undefined ? {} : { permissionsBoundary: input.PermissionsBoundary }),
    };
    const key = keys.role(call.account, name);
    await revise(documents, key, (current) => {
      if (current !== undefined) throw iamErrors.roleExists(name);
      requireRoom(documents, key);
      const after = { name, arn: role.permissionsBoundary };
      return [
        { key, value: role },
        ...boundaryChanges(documents, call.account, "role", { name, arn: undefined }, after),
      ];
    });
    return { Role: { ...describeRole(call.account, role), ...tagMember(role.tags) } };
  };

  const GetRole: Handler<Iam, "GetRole"> = (input, call) => {
    const role = requireRole(documents, call.account, input.RoleName).value;
    return {
      Role: {
        ...describeRole(call.account, role),
        ...details(role),
        ...tagMember(role.tags),
        ...boundaryMember(role),
        RoleLastUsed: roleLastUsed(lastUsed.holder(call.account, role.id)),
      },
    };
  };

  const ListRoles: Handler<Iam, "ListRoles"> = (input, call) => {
    const prefix = input.PathPrefix ?? "/";
    const roles = valuesUnder<RoleDocument>(documents, keys.roles(call.account));
    const matching = where(roles, (role) => role.path.startsWith(prefix));
    const { items, paging } = paginate(input, matching, ({ name }) => name.toLowerCase());
    return {
      Roles: items.map((role) => ({ ...describeRole(call.account, role), ...details(role) })),
      ...paging,
    };
  };

  /** The delete expects the role's revision, which every change of its policies raises, so none can slip in between. */
  const DeleteRole: Handler<Iam, "DeleteRole"> = async (input, call) => {
    const name = input.RoleName ?? "";
    await reviseRole(call.account, name, ({ id, permissionsBoundary: arn }, key) => {
      if (!isEmpty(documents.list(keys.attached(call.account, "role", name), { limit: 1 })))
        throw iamErrors.detachFirst();
      if (!isEmpty(documents.list(keys.inline(call.account, "role", name), { limit: 1 })))
        throw iamErrors.deleteInlineFirst();
      return [
        { key, delete: true },
        { key: keys.lastUsed(call.account, id), delete: true },
        ...boundaryChanges(documents, call.account, "role", { name, arn }, { name, arn: undefined }),
      ];
    });
    return {};
  };

  const UpdateRole: Handler<Iam, "UpdateRole"> = async (input, call) => {
    await reviseRole(call.account, input.RoleName, (role, key) => {
      const { description: _old, ...rest } = role;
      const description = input.Description ?? role.description;
      return {
        key,
        value: {
          ...rest,
          ...(description === undefined || description === "" ? {} : { description }),
          maxSessionSeconds: input.MaxSessionDuration ?? role.maxSessionSeconds,
        },
      };
    });
    return {};
  };

  const UpdateRoleDescription: Handler<Iam, "UpdateRoleDescription"> = async (input, call) => {
    await reviseRole(call.account, input.RoleName, (role, key) => ({
      key,
      value: { ...role, description: input.Description ?? "" },
    }));
    const role = requireRole(documents, call.account, input.RoleName).value;
    return { Role: { ...describeRole(call.account, role), ...details(role) } };
  };

  const UpdateAssumeRolePolicy: Handler<Iam, "UpdateAssumeRolePolicy"> = async (input, call) => {
    const trust = input.PolicyDocument ?? "";
    await reviseRole(call.account, input.RoleName, (role, key) => {
      checkTrust(trust);
      return { key, value: { ...role, assumeRolePolicy: trust } };
    });
    return {};
  };

  const TagRole: Handler<Iam, "TagRole"> = async (input, call) => {
    await reviseRole(call.account, input.RoleName, (role, key) => ({
      key,
      value: { ...role, tags: addTags(role.tags, input.Tags) },
    }));
    return {};
  };

  const UntagRole: Handler<Iam, "UntagRole"> = async (input, call) => {
    await reviseRole(call.account, input.RoleName, (role, key) => ({
      key,
      value: { ...role, tags: removeTags(role.tags, input.TagKeys) },
    }));
    return {};
  };

  const ListRoleTags: Handler<Iam, "ListRoleTags"> = (input, call) => {
    const { tags } = requireRole(documents, call.account, input.RoleName).value;
    const { items, paging } = paginate(input, tagList(tags), ({ Key }) => Key);
    return { Tags: items, ...paging };
  };

  async function reviseRole(
    account: string,
    name = "",
    decide: (role: RoleDocument, key: Change["key"]) => Change | readonly Change[],
  ): Promise<void> {
    const key = keys.role(account, name);
    await revise<RoleDocument>(documents, key, () =>
      [decide(requireRole(documents, account, name).value, key)].flat(),
    );
  }

  return {
    CreateRole,
    GetRole,
    ListRoles,
    DeleteRole,
    UpdateRole,
    UpdateRoleDescription,
    UpdateAssumeRolePolicy,
    TagRole,
    UntagRole,
    ListRoleTags,
  } satisfies OperationsOf<Iam>;
}

function checkTrust(document: string): void {
  checkPolicyDocument(document, "trust");
  if (policySize(document) > LIMITS.assumeRolePolicySize)
    throw iamErrors.quota("ACLSizePerRole", LIMITS.assumeRolePolicySize);
}

/** What every response shows of a role. */
export function describeRole(account: string, role: RoleDocument) {
  return {
    Path: role.path,
    RoleName: role.name,
    RoleId: role.id,
    Arn: roleArn(account, role),
    CreateDate: new Date(role.created),
    AssumeRolePolicyDocument: encodeDocument(role.assumeRolePolicy),
  };
}

/** What GetRole and ListRoles add; CreateRole leaves it out (recorded). */
function details(role: RoleDocument) {
  return {
    MaxSessionDuration: role.maxSessionSeconds,
    ...(role.description === undefined ? {} : { Description: role.description }),
  };
}

function isEmpty(items: Iterable<unknown>): boolean {
  for (const _ of items) return false;
  return true;
}
