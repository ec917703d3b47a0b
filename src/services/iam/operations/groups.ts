import type * as client from "@aws-sdk/client-iam";
import { RevisionConflict, type Change } from "#storage/documents";
import type { Handler, OperationsOf } from "#wire/operation";
import { revise } from "../../revise.ts";
import type { IamDeps } from "../deps.ts";
import { iamErrors } from "../errors.ts";
import { LIMITS } from "../limits.ts";
import { requireRoom } from "../quotas.ts";
import type { GroupDocument, UserDocument } from "../store.ts";
import {
  groupArn,
  keys,
  moveDocument,
  paginate,
  requireGroup,
  requireUser,
  unchanged,
  valuesUnder,
  where,
} from "../store.ts";
import { describeUser } from "./users.ts";

type Iam = typeof client;

export function groupOperations({ documents, clock, ids }: IamDeps) {
  const CreateGroup: Handler<Iam, "CreateGroup"> = async (input, call) => {
    const name = input.GroupName ?? "";
    const group: GroupDocument = {
      name,
      id: `AGPA${ids.base32(17)}`,
      path: input.Path ?? "/",
      created: clock.now(),
    };
    const key = keys.group(call.account, name);
    requireRoom(documents, key);
    try {
      await documents.commit([{ key, value: group, expected: 0 }]);
    } catch (error) {
      if (error instanceof RevisionConflict) throw iamErrors.groupExists(name);
      throw error;
    }
    return { Group: describeGroup(call.account, group) };
  };

  const GetGroup: Handler<Iam, "GetGroup"> = (input, call) => {
    const group = requireGroup(documents, call.account, input.GroupName).value;
    const members = Array.from(documents.list(keys.members(call.account, group.name)), ({ key }) =>
      requireUser(documents, call.account, String(key.at(-1))),
    );
    const { items, paging } = paginate(input, members, ({ value }) => value.name);
    return {
      Group: describeGroup(call.account, group),
      Users: items.map(({ value }) => describeUser(call.account, value)),
      ...paging,
    };
  };

  const ListGroups: Handler<Iam, "ListGroups"> = (input, call) => {
    const prefix = input.PathPrefix ?? "/";
    const groups = valuesUnder<GroupDocument>(documents, keys.groups(call.account));
    const matching = where(groups, ({ path }) => path.startsWith(prefix));
    const { items, paging } = paginate(input, matching, ({ name }) => name.toLowerCase());
    return { Groups: items.map((group) => describeGroup(call.account, group)), ...paging };
  };

  /** A new name moves all that hangs from the old one. */
  const UpdateGroup: Handler<Iam, "UpdateGroup"> = async (input, call) => {
    const name = input.GroupName ?? "";
    const renamed = input.NewGroupName ?? name;
    await reviseGroup(call.account, name, (group, key) => {
      const value: GroupDocument = { ...group, name: renamed, path: input.NewPath ?? group.path };
      if (renamed === name) return [{ key, value }];
      const target = keys.group(call.account, renamed);
      const sameKey = renamed.toLowerCase() === name.toLowerCase();
      if (!sameKey && documents.get(target) !== undefined) throw iamErrors.groupExists(renamed);
      return [
        ...(sameKey
          ? [{ key, value }]
          : [
              { key, delete: true as const },
              { key: target, value, expected: 0 },
            ]),
        ...moveBelongings(call.account, name, renamed),
      ];
    });
    return {};
  };

  function moveBelongings(account: string, from: string, to: string): Change[] {
    const moved: Change[] = [];
    for (const { key, value } of documents.list(keys.inline(account, "group", from)))
      moved.push(...moveDocument(key, [...keys.inline(account, "group", to), ...key.slice(4)], value));
    for (const { key, value } of documents.list(keys.attached(account, "group", from))) {
      const entities = keys.entities(account, String(key.at(-1)), "group");
      moved.push(...moveDocument(key, [...keys.attached(account, "group", to), ...key.slice(4)], value));
      moved.push(...moveDocument([...entities, from], [...entities, to], value));
    }
    for (const { key, value } of documents.list(keys.members(account, from))) {
      const memberships = keys.memberships(account, String(key.at(-1)));
      moved.push(...moveDocument(key, [...keys.members(account, to), ...key.slice(4)], value));
      moved.push(...moveDocument([...memberships, from], [...memberships, to], value));
    }
    return moved;
  }

  const DeleteGroup: Handler<Iam, "DeleteGroup"> = async (input, call) => {
    const name = input.GroupName ?? "";
    await reviseGroup(call.account, name, (_group, key) => {
      for (const _ of documents.list(keys.members(call.account, name), { limit: 1 }))
        throw iamErrors.removeUsersFirst();
      for (const _ of documents.list(keys.attached(call.account, "group", name), { limit: 1 }))
        throw iamErrors.detachFirst();
      for (const _ of documents.list(keys.inline(call.account, "group", name), { limit: 1 }))
        throw iamErrors.deleteInlineFirst();
      return [{ key, delete: true }];
    });
    return {};
  };

  const AddUserToGroup: Handler<Iam, "AddUserToGroup"> = async (input, call) => {
    const [group, user] = [input.GroupName ?? "", input.UserName ?? ""];
    await revise<UserDocument>(documents, keys.user(call.account, user), () => {
      const found = requireGroup(documents, call.account, group);
      const member = requireUser(documents, call.account, user);
      const memberships = [...documents.list(keys.memberships(call.account, user))];
      if (memberships.some(({ key }) => key.at(-1) === group)) return [];
      if (memberships.length >= LIMITS.groupsPerUser)
        throw iamErrors.quota("GroupsPerUser", LIMITS.groupsPerUser);
      return [
        unchanged(member),
        unchanged(found),
        { key: [...keys.memberships(call.account, user), group], value: true },
        { key: [...keys.members(call.account, group), user], value: true },
      ];
    });
    return {};
  };

  const RemoveUserFromGroup: Handler<Iam, "RemoveUserFromGroup"> = async (input, call) => {
    const [group, user] = [input.GroupName ?? "", input.UserName ?? ""];
    requireGroup(documents, call.account, group);
    requireUser(documents, call.account, user);
    await documents.commit([
      { key: [...keys.memberships(call.account, user), group], delete: true },
      { key: [...keys.members(call.account, group), user], delete: true },
    ]);
    return {};
  };

  const ListGroupsForUser: Handler<Iam, "ListGroupsForUser"> = (input, call) => {
    requireUser(documents, call.account, input.UserName);
    const memberships = documents.list(keys.memberships(call.account, input.UserName ?? ""));
    const groups = Array.from(memberships, ({ key }) =>
      requireGroup(documents, call.account, String(key.at(-1))),
    );
    const { items, paging } = paginate(input, groups, ({ value }) => value.name);
    return { Groups: items.map(({ value }) => describeGroup(call.account, value)), ...paging };
  };

  async function reviseGroup(
    account: string,
    name: string,
    decide: (group: GroupDocument, key: Change["key"]) => readonly Change[],
  ): Promise<void> {
    const key = keys.group(account, name);
    await revise<GroupDocument>(documents, key, () =>
      decide(requireGroup(documents, account, name).value, key),
    );
  }

  return {
    CreateGroup,
    GetGroup,
    ListGroups,
    UpdateGroup,
    DeleteGroup,
    AddUserToGroup,
    RemoveUserFromGroup,
    ListGroupsForUser,
  } satisfies OperationsOf<Iam>;
}

/** What every response shows of a group. */
export function describeGroup(account: string, group: GroupDocument) {
  return {
    Path: group.path,
    GroupName: group.name,
    GroupId: group.id,
    Arn: groupArn(account, group),
    CreateDate: new Date(group.created),
  };
}
