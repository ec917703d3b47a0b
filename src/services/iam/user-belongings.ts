import type { AwsError } from "#core/errors";
import type { Document, DocumentKey, Documents } from "#storage/documents";
import type { CallContext } from "#wire/operation";
import { revise } from "../revise.ts";
import { ownName } from "./operations/users.ts";
import { keys, REGION, requireUser, unchanged, valuesUnder, type UserDocument } from "./store.ts";

/** Something that a user has up to so many of, each with an id, and that can be switched off. */
interface Belonging {
  readonly id: string;
  readonly active: boolean;
}

/** Credentials of one kind that lie under their users. Where no user is named, the caller's are meant. */
export function belongingsOf<T extends Belonging>(
  documents: Documents,
  kind: string,
  missing: (id: string) => AwsError,
) {
  const under = (account: string, user: string): DocumentKey => [account, REGION, kind, user.toLowerCase()];

  function all({ account }: CallContext, user: string): T[] {
    requireUser(documents, account, user);
    return Array.from(valuesUnder<T>(documents, under(account, user)));
  }

  function require(call: CallContext, user: string, id = ""): Document<T> {
    requireUser(documents, call.account, user);
    const found = documents.get<T>([...under(call.account, user), id]);
    if (found === undefined) throw missing(id);
    return found;
  }

  return {
    all,
    require,
    userOf: (call: CallContext, named: string | undefined): string => named ?? ownName(call),

    /** @param check refuses what may not stand beside the others; the user is written, too, so that both see one another */
    async add(
      call: CallContext,
      user: string,
      value: T,
      check: (others: readonly T[]) => void,
    ): Promise<void> {
      await revise<UserDocument>(documents, keys.user(call.account, user), () => {
        const owner = requireUser(documents, call.account, user);
        check(all(call, user));
        return [unchanged(owner), { key: [...under(call.account, user), value.id], value, expected: 0 }];
      });
    },

    async switch(call: CallContext, user: string, id: string | undefined, status: string | undefined) {
      const { key } = require(call, user, id);
      await revise<T>(documents, key, () => [
        { key, value: { ...require(call, user, id).value, active: status === "Active" } },
      ]);
      return {};
    },

    async delete(call: CallContext, user: string, id: string | undefined) {
      await documents.commit([{ key: require(call, user, id).key, delete: true }]);
      return {};
    },
  };
}

/** How responses say whether a credential counts. */
export function statusOf({ active }: Belonging) {
  return active ? ("Active" as const) : ("Inactive" as const);
}
