import type { Clock } from "#core/clock";
import type { Ids } from "#core/ids";
import type { Documents } from "#storage/documents";
import type { ServiceDefinition } from "#wire/operation";
import { loadPermissions } from "#wire/schema/permissions";
import { analyzerAuthorisation } from "./authorisation.ts";
import type { Holders, Usage } from "./deps.ts";
import { accessCheckOperations } from "./operations/access-checks.ts";
import { policyGenerationOperations } from "./operations/policy-generation.ts";
import { validationOperations } from "./operations/validation.ts";
import { Reference } from "./reference/reference.ts";

export interface AnalyzerServiceOptions {
  readonly documents: Documents;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly usage: Usage;
  readonly holders: Holders;
}

/** IAM Access Analyzer: what is wrong with policies, and policies of what was really used. */
export function createAnalyzerService(options: AnalyzerServiceOptions): ServiceDefinition {
  let known: Reference | undefined;
  const deps = { ...options, reference: () => (known ??= new Reference(loadPermissions())) };
  return {
    name: "accessanalyzer",
    authorisation: analyzerAuthorisation,
    operations: {
      ...validationOperations(deps),
      ...accessCheckOperations(deps),
      ...policyGenerationOperations(deps),
    },
  };
}
