import type { ServiceDefinition } from "#wire/operation";
import { stsAuthorisation } from "./authorisation.ts";
import { identityOperations } from "./operations/identity.ts";

/** Security Token Service: who the caller is. It stores nothing. */
export function createStsService(): ServiceDefinition {
  return { name: "sts", authorisation: stsAuthorisation, operations: { ...identityOperations() } };
}
