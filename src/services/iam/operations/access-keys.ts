import type * as client from "@aws-sdk/client-iam";
import { makeAccessKeyId } from "#core/access-key-id";
import type { CallContext, Handler, OperationsOf } from "#wire/operation";
import { revise } from "../../revise.ts";
import type { IamDeps } from "../deps.ts";
import { iamErrors } from "../errors.ts";
import { LIMITS } from "../limits.ts";
import type { AccessKeyDocument, UserDocument } from "../store.ts";
import { keys, paginate, requireUser, unchanged } from "../store.ts";
import { ownName } from "./users.ts";

type Iam = typeof client;

/** Keys that really sign: authentication finds them by their id, which says the account. */
export function accessKeyOperations({ documents, clock, ids, lastUsed }: IamDeps) {
  const CreateAccessKey: Handler<Iam, "CreateAccessKey"> = async (input, call) => {
    const user = input.UserName ?? ownName(call);
    const made: AccessKeyDocument = {
      id: makeAccessKeyId("AKIA", call.account, ids),
      secret: Buffer.from(ids.hex(60), "hex").toString("base64"),
      user,
      created: clock.now(),
      active: true,
    };
    await revise<UserDocument>(documents, keys.user(call.account, user), () => {
      const owner = requireUser(documents, call.account, user);
      const existing = [...documents.list(keys.userKeys(call.account, user))];
      if (existing.length >= LIMITS.accessKeysPerUser)
        throw iamErrors.quota("AccessKeysPerUser", LIMITS.accessKeysPerUser);
      return [
        unchanged(owner),
        { key: keys.accessKey(call.account, made.id), value: made, expected: 0 },
        { key: [...keys.userKeys(call.account, user), made.id], value: true },
      ];
    });
    return { AccessKey: { ...describe(made), SecretAccessKey: made.secret } };
  };

  const ListAccessKeys: Handler<Iam, "ListAccessKeys"> = (input, call) => {
    const user = input.UserName ?? ownName(call);
    requireUser(documents, call.account, user);
    const all = Array.from(documents.list(keys.userKeys(call.account, user)), ({ key }) =>
      documents.get<AccessKeyDocument>(keys.accessKey(call.account, String(key.at(-1)))),
    ).filter((found) => found !== undefined);
    const { items, paging } = paginate(input, all, ({ value }) => value.id);
    return { AccessKeyMetadata: items.map(({ value }) => describe(value)), ...paging };
  };

  const UpdateAccessKey: Handler<Iam, "UpdateAccessKey"> = async (input, call) => {
    const { key, value } = requireKey(call, input.UserName, input.AccessKeyId);
    await documents.commit([{ key, value: { ...value, active: input.Status === "Active" } }]);
    return {};
  };

  const DeleteAccessKey: Handler<Iam, "DeleteAccessKey"> = async (input, call) => {
    const { key, value } = requireKey(call, input.UserName, input.AccessKeyId);
    await documents.commit([
      { key, delete: true },
      { key: [...keys.userKeys(call.account, value.user), value.id], delete: true },
      { key: keys.lastUsed(call.account, value.id), delete: true },
    ]);
    return {};
  };

  const GetAccessKeyLastUsed: Handler<Iam, "GetAccessKeyLastUsed"> = (input, call) => {
    const found = documents.get<AccessKeyDocument>(keys.accessKey(call.account, input.AccessKeyId ?? ""));
    if (found === undefined) throw iamErrors.keyMissing(input.AccessKeyId ?? "");
    const use = lastUsed.key(call.account, found.value.id);
    return {
      UserName: found.value.user,
      AccessKeyLastUsed: {
        // AWS's answer for keys that it has not seen used since it keeps track.
        ServiceName: use?.service ?? "N/A",
        Region: use?.region ?? "N/A",
        LastUsedDate: use === undefined ? undefined : new Date(use.time),
      },
    };
  };

  function requireKey(call: CallContext, userName: string | undefined, id = "") {
    const user = userName ?? ownName(call);
    requireUser(documents, call.account, user);
    const found = documents.get<AccessKeyDocument>(keys.accessKey(call.account, id));
    if (found === undefined || found.value.user !== user) throw iamErrors.keyMissing(id);
    return found;
  }

  return {
    CreateAccessKey,
    ListAccessKeys,
    UpdateAccessKey,
    DeleteAccessKey,
    GetAccessKeyLastUsed,
  } satisfies OperationsOf<Iam>;
}

function describe(key: AccessKeyDocument) {
  return {
    UserName: key.user,
    AccessKeyId: key.id,
    Status: key.active ? ("Active" as const) : ("Inactive" as const),
    CreateDate: new Date(key.created),
  };
}
