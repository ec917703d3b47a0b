import { createRoleSeed } from "#services/iam/seed";
import type { SharedByServices } from "./shared.ts";

/** Every account is an account from its first request on, with the role for first steps in it. */
export interface Accounts {
  has(account: string): boolean;
  /** Makes an account; one that is there stays as it is. */
  make(account: string): Promise<void>;
  /** Forgets all of them, after the storage was emptied. */
  reset(): void;
}

export function createAccounts({ storage, clock, ids }: SharedByServices): Accounts {
  const seedRole = createRoleSeed({ documents: storage.documents, clock, ids });
  const made = new Set<string>();
  return {
    has: (account) => made.has(account),
    async make(account) {
      await seedRole(account);
      made.add(account);
    },
    reset: () => made.clear(),
  };
}
