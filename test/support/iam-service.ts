import { ManualClock } from "../../src/core/clock.ts";
import { systemIds } from "../../src/core/ids.ts";
import { VerdictCache } from "../../src/policy/verdict-cache.ts";
import { createLastUsed } from "../../src/services/iam/last-used.ts";
import { createPrincipals } from "../../src/services/iam/principals.ts";
import { createSamlThread } from "../../src/services/iam/saml-thread.ts";
import type { Documents } from "../../src/storage/documents.ts";
import { PermissionUsage } from "../../src/wire/authorisation/usage.ts";

/** What IAM's operations are made with, and the record that its calls are noted in. */
export function iamDeps(documents: Documents) {
  const clock = new ManualClock();
  const usage = new PermissionUsage();
  const onError = (error: unknown): never => {
    throw error;
  };
  return {
    documents,
    clock,
    ids: systemIds,
    principals: createPrincipals({ documents, cache: new VerdictCache() }),
    usage,
    lastUsed: createLastUsed({ documents, clock, usage, onError }),
    readSaml: createSamlThread(clock).read,
  };
}
