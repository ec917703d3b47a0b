import type * as client from "@aws-sdk/client-iam";
import type { Change } from "#storage/documents";
import type { CallContext, Handler, OperationsOf } from "#wire/operation";
import { revise } from "../../revise.ts";
import { boundaryChanges } from "../boundaries.ts";
import type { IamDeps } from "../deps.ts";
import { iamErrors } from "../errors.ts";
import { requireRoom } from "../quotas.ts";
import type { UserDocument } from "../store.ts";
import {
  addTags,
  keys,
  moveDocument,
  paginate,
  REGION,
  removeTags,
  requireUser,
  tagList,
  tagMember,
  userArn,
  valuesUnder,
  where,
} from "../store.ts";

type Iam = typeof client;

/** What belongs to a user and must go before it, with the words for what is left. */
const BELONGINGS: readonly (readonly [kind: string, refusal: () => Error])[] = [
  ["user-policy", iamErrors.deleteInlineFirst],
  ["user-attachment", iamErrors.detachFirst],
  ["user-group", iamErrors.removeFromGroupsFirst],
  ["user-access-key", iamErrors.deleteKeysFirst],
  ["login-profile", iamErrors.deleteLoginProfileFirst],
  ["user-mfa", iamErrors.deleteMfaFirst],
  ["user-service-credential", iamErrors.removeReferencedFirst],
  ["user-ssh-key", iamErrors.removeReferencedFirst],
  ["user-signing-certificate", iamErrors.removeReferencedFirst],
];

export function userOperations({ documents, clock, ids }: IamDeps) {
  const CreateUser: Handler<Iam, "CreateUser"> = async (input, call) => {
    const name = input.UserName ?? "";
    const boundary = input.PermissionsBoundary;
    const user: UserDocument = {
      name,
      id: `AIDA${ids.base32(17)}`,
      path: input.Path ?? "/",
      created: clock.now(),
      tags: addTags({}, input.Tags),
      ...(boundary === undefined ? {} : { permissionsBoundary: boundary }),
    };
    const key = keys.user(call.account, name);
    await revise(documents, key, (current) => {
      if (current !== undefined) throw iamErrors.userExists(name);
      requireRoom(documents, key);
      const after = { name, arn: boundary };
      return [
        { key, value: user },
        ...boundaryChanges(documents, call.account, "user", { name, arn: undefined }, after),
      ];
    });
    return { User: detailsOf(call.account, user) };
  };

  const GetUser: Handler<Iam, "GetUser"> = (input, call) => {
    if (input.UserName === undefined && call.principal.kind === "root") return { User: rootUser(call) };
    const user = requireUser(documents, call.account, input.UserName ?? ownName(call)).value;
    return { User: detailsOf(call.account, user) };
  };

  const ListUsers: Handler<Iam, "ListUsers"> = (input, call) => {
    const prefix = input.PathPrefix ?? "/";
    const users = valuesUnder<UserDocument>(documents, keys.users(call.account));
    const matching = where(users, ({ path }) => path.startsWith(prefix));
    const { items, paging } = paginate(input, matching, ({ name }) => name.toLowerCase());
    return { Users: items.map((user) => describeUser(call.account, user)), ...paging };
  };

  /** The delete expects the user's revision, which every change of its belongings raises. */
  const DeleteUser: Handler<Iam, "DeleteUser"> = async (input, call) => {
    const name = input.UserName ?? "";
    await reviseUser(call.account, name, ({ id, permissionsBoundary: arn }, key) => {
      for (const [kind, refusal] of BELONGINGS) {
        const [account, region] = [key[0], key[1]];
        const under = [account, region, kind, name.toLowerCase()] as const;
        for (const _ of documents.list(under, { limit: 1 })) throw refusal();
      }
      return [
        { key, delete: true },
        { key: keys.lastUsed(call.account, id), delete: true },
        ...boundaryChanges(documents, call.account, "user", { name, arn }, { name, arn: undefined }),
      ];
    });
    return {};
  };

  /** A new name moves all that hangs from the old one. */
  const UpdateUser: Handler<Iam, "UpdateUser"> = async (input, call) => {
    const name = input.UserName ?? "";
    const renamed = input.NewUserName ?? name;
    await reviseUser(call.account, name, (user, key) => {
      const value: UserDocument = { ...user, name: renamed, path: input.NewPath ?? user.path };
      if (renamed === name) return [{ key, value }];
      const arn = user.permissionsBoundary;
      const moved = [
        ...moveBelongings(call.account, name, renamed),
        ...boundaryChanges(documents, call.account, "user", { name, arn }, { name: renamed, arn }),
      ];
      if (renamed.toLowerCase() === name.toLowerCase()) return [{ key, value }, ...moved];
      const target = keys.user(call.account, renamed);
      if (documents.get(target) !== undefined) throw iamErrors.userExists(renamed);
      return [{ key, delete: true }, { key: target, value, expected: 0 }, ...moved];
    });
    return {};
  };

  function moveBelongings(account: string, from: string, to: string): Change[] {
    const moved: Change[] = [];
    for (const [kind] of BELONGINGS)
      for (const { key, value } of documents.list([account, REGION, kind, from.toLowerCase()])) {
        const next = [account, REGION, kind, to.toLowerCase(), ...key.slice(4)] as const;
        moved.push(...moveDocument(key, next, value));
        const last = String(key.at(-1));
        if (kind === "user-attachment")
          moved.push(...rename(keys.entities(account, last, "user"), from, to, value));
        if (kind === "user-group") moved.push(...rename(keys.members(account, last), from, to, value));
        if (kind === "user-access-key") {
          const found = documents.get<{ readonly user: string }>(keys.accessKey(account, last));
          if (found !== undefined) moved.push({ key: found.key, value: { ...found.value, user: to } });
        }
      }
    return moved;
  }

  const TagUser: Handler<Iam, "TagUser"> = async (input, call) => {
    await reviseUser(call.account, input.UserName, (user, key) => [
      { key, value: { ...user, tags: addTags(user.tags, input.Tags) } },
    ]);
    return {};
  };

  const UntagUser: Handler<Iam, "UntagUser"> = async (input, call) => {
    await reviseUser(call.account, input.UserName, (user, key) => [
      { key, value: { ...user, tags: removeTags(user.tags, input.TagKeys) } },
    ]);
    return {};
  };

  const ListUserTags: Handler<Iam, "ListUserTags"> = (input, call) => {
    const { tags } = requireUser(documents, call.account, input.UserName).value;
    const { items, paging } = paginate(input, tagList(tags), ({ Key }) => Key);
    return { Tags: items, ...paging };
  };

  async function reviseUser(
    account: string,
    name = "",
    decide: (user: UserDocument, key: Change["key"]) => readonly Change[],
  ): Promise<void> {
    const key = keys.user(account, name);
    await revise<UserDocument>(documents, key, () =>
      decide(requireUser(documents, account, name).value, key),
    );
  }

  return {
    CreateUser,
    GetUser,
    ListUsers,
    DeleteUser,
    UpdateUser,
    TagUser,
    UntagUser,
    ListUserTags,
  } satisfies OperationsOf<Iam>;
}

/** The caller's own name, which many operations take where none is given. */
export function ownName({ principal }: CallContext): string {
  if (principal.kind === "user") return principal.userName;
  throw iamErrors.userNameNeeded();
}

export function describeUser(account: string, user: UserDocument) {
  return {
    Path: user.path,
    UserName: user.name,
    UserId: user.id,
    Arn: userArn(account, user),
    CreateDate: new Date(user.created),
  };
}

function rootUser({ account, principal }: CallContext) {
  return {
    Path: "/",
    UserName: "root",
    UserId: account,
    Arn: principal.arn,
    CreateDate: new Date(0),
  };
}

function detailsOf(account: string, user: UserDocument) {
  return { ...describeUser(account, user), ...tagMember(user.tags), ...boundaryMember(user) };
}

/** The member of a response that leaves it out where there is no permissions boundary. */
export function boundaryMember({ permissionsBoundary: arn }: Pick<UserDocument, "permissionsBoundary">) {
  return arn === undefined ? {} : { PermissionsBoundary: boundaryOf(arn) };
}

/** AWS answers "Policy", which its own model does not list. */
function boundaryOf(arn: string) {
  return {
    PermissionsBoundaryType: "Policy" as string as "PermissionsBoundaryPolicy",
    PermissionsBoundaryArn: arn,
  };
}

function rename(under: Change["key"], from: string, to: string, value: unknown): Change[] {
  return moveDocument([...under, from], [...under, to], value);
}
