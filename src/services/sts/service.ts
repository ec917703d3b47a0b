import type { ServiceDefinition } from "#wire/operation";
import { createStsAuthorisation } from "./authorisation.ts";
import type { StsDeps } from "./deps.ts";
import { identityOperations } from "./operations/identity.ts";
import { messageOperations } from "./operations/messages.ts";
import { outboundTokenOperations } from "./operations/outbound-tokens.ts";
import { roleOperations } from "./operations/roles.ts";
import { tokenOperations } from "./operations/tokens.ts";
import { webIdentityOperations } from "./operations/web-identity.ts";

/** Security Token Service: who the caller is, and temporary credentials. It stores nothing: tokens are sealed. */
export function createStsService(deps: StsDeps): ServiceDefinition {
  return {
    name: "sts",
    authorisation: createStsAuthorisation(deps),
    unsigned: ["AssumeRoleWithWebIdentity"],
    operations: {
      ...identityOperations(),
      ...roleOperations(deps),
      ...tokenOperations(deps),
      ...webIdentityOperations(deps),
      ...outboundTokenOperations(deps),
      ...messageOperations(deps),
    },
  };
}
