import type * as client from "@aws-sdk/client-iam";
import { type Documents, RevisionConflict } from "#storage/documents";
import type { Handler, OperationsOf } from "#wire/operation";
import { revise } from "../../revise.ts";
import type { IamDeps } from "../deps.ts";
import { iamErrors } from "../errors.ts";
import { requireRoom } from "../quotas.ts";
import type { Tags } from "../store.ts";
import {
  addTags,
  keys,
  paginate,
  removeTags,
  requireRole,
  tagList,
  unchanged,
  valuesUnder,
  where,
  type RoleDocument,
} from "../store.ts";
import { describeRole } from "./roles.ts";

type Iam = typeof client;

export interface InstanceProfileDocument {
  readonly name: string;
  /** `AIPA…` */
  readonly id: string;
  readonly path: string;
  readonly created: number;
  readonly role?: string;
  readonly tags: Tags;
}

/** Records alone: nothing here runs instances. */
export function instanceProfileOperations({ documents, clock, ids }: IamDeps) {
  const CreateInstanceProfile: Handler<Iam, "CreateInstanceProfile"> = async (input, call) => {
    const name = input.InstanceProfileName ?? "";
    const value: InstanceProfileDocument = {
      name,
      id: `AIPA${ids.base32(17)}`,
      path: input.Path ?? "/",
      created: clock.now(),
      tags: addTags({}, input.Tags),
    };
    const key = keys.instanceProfile(call.account, name);
    requireRoom(documents, key);
    try {
      await documents.commit([{ key, value, expected: 0 }]);
    } catch (error) {
      if (error instanceof RevisionConflict) throw iamErrors.instanceProfileExists(name);
      throw error;
    }
    return { InstanceProfile: describe(call.account, value) };
  };

  const GetInstanceProfile: Handler<Iam, "GetInstanceProfile"> = (input, call) => ({
    InstanceProfile: describe(call.account, find(call.account, input.InstanceProfileName).value),
  });

  const ListInstanceProfiles: Handler<Iam, "ListInstanceProfiles"> = (input, call) => {
    const prefix = input.PathPrefix ?? "/";
    const all = valuesUnder<InstanceProfileDocument>(documents, keys.instanceProfiles(call.account));
    const matching = where(all, ({ path }) => path.startsWith(prefix));
    const { items, paging } = paginate(input, matching, ({ name }) => name.toLowerCase());
    return { InstanceProfiles: items.map((profile) => describe(call.account, profile)), ...paging };
  };

  const ListInstanceProfilesForRole: Handler<Iam, "ListInstanceProfilesForRole"> = (input, call) => {
    const { name: role } = requireRole(documents, call.account, input.RoleName).value;
    const all = valuesUnder<InstanceProfileDocument>(documents, keys.instanceProfiles(call.account));
    const matching = where(all, (profile) => profile.role === role);
    const { items, paging } = paginate(input, matching, ({ name }) => name.toLowerCase());
    return { InstanceProfiles: items.map((profile) => describe(call.account, profile)), ...paging };
  };

  const DeleteInstanceProfile: Handler<Iam, "DeleteInstanceProfile"> = async (input, call) => {
    const key = keys.instanceProfile(call.account, input.InstanceProfileName ?? "");
    await revise<InstanceProfileDocument>(documents, key, () => {
      if (find(call.account, input.InstanceProfileName).value.role !== undefined)
        throw iamErrors.removeRolesFirst();
      return [{ key, delete: true }];
    });
    return {};
  };

  const AddRoleToInstanceProfile: Handler<Iam, "AddRoleToInstanceProfile"> = async (input, call) => {
    const key = keys.instanceProfile(call.account, input.InstanceProfileName ?? "");
    await revise<InstanceProfileDocument>(documents, key, () => {
      const profile = find(call.account, input.InstanceProfileName).value;
      const role = requireRole(documents, call.account, input.RoleName);
      if (profile.role !== undefined) throw iamErrors.quota("InstanceSessionsPerInstanceProfile", 1);
      return [unchanged(role), { key, value: { ...profile, role: role.value.name } }];
    });
    return {};
  };

  const RemoveRoleFromInstanceProfile: Handler<Iam, "RemoveRoleFromInstanceProfile"> = async (
    input,
    call,
  ) => {
    await change(call.account, input.InstanceProfileName, ({ role, ...rest }) => {
      if (role !== input.RoleName) throw iamErrors.roleMissing(input.RoleName ?? "");
      return rest;
    });
    return {};
  };

  const TagInstanceProfile: Handler<Iam, "TagInstanceProfile"> = async (input, call) => {
    await change(call.account, input.InstanceProfileName, (profile) => ({
      ...profile,
      tags: addTags(profile.tags, input.Tags),
    }));
    return {};
  };

  const UntagInstanceProfile: Handler<Iam, "UntagInstanceProfile"> = async (input, call) => {
    await change(call.account, input.InstanceProfileName, (profile) => ({
      ...profile,
      tags: removeTags(profile.tags, input.TagKeys),
    }));
    return {};
  };

  const ListInstanceProfileTags: Handler<Iam, "ListInstanceProfileTags"> = (input, call) => {
    const { tags } = find(call.account, input.InstanceProfileName).value;
    const { items, paging } = paginate(input, tagList(tags), ({ Key }) => Key);
    return { Tags: items, ...paging };
  };

  function find(account: string, name = "") {
    const found = documents.get<InstanceProfileDocument>(keys.instanceProfile(account, name));
    if (found === undefined || found.value.name !== name) throw iamErrors.instanceProfileMissing(name);
    return found;
  }

  async function change(
    account: string,
    name = "",
    next: (profile: InstanceProfileDocument) => InstanceProfileDocument,
  ): Promise<void> {
    const key = keys.instanceProfile(account, name);
    await revise<InstanceProfileDocument>(documents, key, () => [
      { key, value: next(find(account, name).value) },
    ]);
  }

  function describe(account: string, profile: InstanceProfileDocument) {
    return describeInstanceProfile(documents, account, profile);
  }

  return {
    CreateInstanceProfile,
    GetInstanceProfile,
    ListInstanceProfiles,
    ListInstanceProfilesForRole,
    DeleteInstanceProfile,
    AddRoleToInstanceProfile,
    RemoveRoleFromInstanceProfile,
    TagInstanceProfile,
    UntagInstanceProfile,
    ListInstanceProfileTags,
  } satisfies OperationsOf<Iam>;
}

export function describeInstanceProfile(
  documents: Documents,
  account: string,
  profile: InstanceProfileDocument,
) {
  const role =
    profile.role === undefined
      ? undefined
      : documents.get<RoleDocument>(keys.role(account, profile.role))?.value;
  const tags = tagList(profile.tags);
  return {
    Path: profile.path,
    InstanceProfileName: profile.name,
    InstanceProfileId: profile.id,
    Arn: `arn:aws:iam::${account}:instance-profile${profile.path}${profile.name}`,
    CreateDate: new Date(profile.created),
    Roles: role === undefined ? [] : [describeRole(account, role)],
    ...(tags.length === 0 ? {} : { Tags: tags }),
  };
}
