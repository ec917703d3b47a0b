import type { ServiceDefinition } from "#wire/operation";
import type { IamDeps } from "./deps.ts";
import { policyOperations } from "./operations/policies.ts";
import { policyVersionOperations } from "./operations/policy-versions.ts";
import { rolePolicyOperations } from "./operations/role-policies.ts";
import { roleOperations } from "./operations/roles.ts";

/** Identity and Access Management: roles and managed policies. */
export function createIamService(deps: IamDeps): ServiceDefinition {
  return {
    name: "iam",
    operations: {
      ...roleOperations(deps),
      ...rolePolicyOperations(deps),
      ...policyOperations(deps),
      ...policyVersionOperations(deps),
    },
  };
}
