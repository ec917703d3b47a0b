import type { ServiceDefinition } from "#wire/operation";
import { createIamAuthorisation } from "./authorisation.ts";
import type { IamDeps } from "./deps.ts";
import { policyOperations } from "./operations/policies.ts";
import { policyVersionOperations } from "./operations/policy-versions.ts";
import { accessKeyOperations } from "./operations/access-keys.ts";
import { accountOperations } from "./operations/account.ts";
import { accountReportOperations } from "./operations/account-reports.ts";
import { identityProviderOperations } from "./operations/identity-providers.ts";
import { instanceProfileOperations } from "./operations/instance-profiles.ts";
import { lastAccessedOperations } from "./operations/last-accessed.ts";
import { mfaDeviceOperations } from "./operations/mfa-devices.ts";
import { organizationOperations } from "./operations/organizations.ts";
import { outboundFederationOperations } from "./operations/outbound-federation.ts";
import { samlProviderOperations } from "./operations/saml-providers.ts";
import { serverCertificateOperations } from "./operations/server-certificates.ts";
import { serviceLinkedRoleOperations } from "./operations/service-linked-roles.ts";
import { signingCertificateOperations } from "./operations/signing-certificates.ts";
import { sshPublicKeyOperations } from "./operations/ssh-public-keys.ts";
import { userCredentialOperations } from "./operations/user-credentials.ts";
import { boundaryOperations } from "./operations/boundaries.ts";
import { groupOperations } from "./operations/groups.ts";
import { holderPolicyOperations } from "./operations/holder-policies.ts";
import { roleOperations } from "./operations/roles.ts";
import { simulationOperations } from "./operations/simulations.ts";
import { userOperations } from "./operations/users.ts";

/** Identity and Access Management: principals and their policies. */
export function createIamService(deps: IamDeps): ServiceDefinition {
  return {
    name: "iam",
    authorisation: createIamAuthorisation(deps.documents, deps.principals),
    operations: {
      ...roleOperations(deps),
      ...holderPolicyOperations(deps),
      ...policyOperations(deps),
      ...policyVersionOperations(deps),
      ...userOperations(deps),
      ...groupOperations(deps),
      ...accessKeyOperations(deps),
      ...boundaryOperations(deps),
      ...simulationOperations(deps),
      ...serviceLinkedRoleOperations(deps),
      ...accountOperations(deps),
      ...accountReportOperations(deps),
      ...organizationOperations(),
      ...outboundFederationOperations(deps),
      ...lastAccessedOperations(deps),
      ...instanceProfileOperations(deps),
      ...identityProviderOperations(deps),
      ...samlProviderOperations(deps),
      ...userCredentialOperations(deps),
      ...sshPublicKeyOperations(deps),
      ...signingCertificateOperations(deps),
      ...mfaDeviceOperations(deps),
      ...serverCertificateOperations(deps),
    },
  };
}
