import type * as client from "@aws-sdk/client-accessanalyzer";
import type { Handler, OperationsOf } from "#wire/operation";
import type { AnalyzerDeps } from "../deps.ts";
import { analyzerErrors } from "../errors.ts";
import { LIMITS } from "../limits.ts";
import { pageOf } from "../pages.ts";
import { validate } from "../validation/validate.ts";

type Analyzer = typeof client;

export function validationOperations({ reference }: Pick<AnalyzerDeps, "reference">) {
  const ValidatePolicy: Handler<Analyzer, "ValidatePolicy"> = (input) => {
    const { policyDocument = "", policyType, validatePolicyResourceType: resourceType } = input;
    // What arrives has passed the schema, which wants it.
    if (policyType === undefined) throw analyzerErrors.invalid("policyType is missing.");
    if (resourceType !== undefined && policyType !== "RESOURCE_POLICY")
      throw analyzerErrors.invalid("validatePolicyResourceType is for policies of the type RESOURCE_POLICY.");
    if (policyDocument.length > LIMITS.document)
      throw analyzerErrors.invalid(`policyDocument is longer than ${LIMITS.document} characters.`);
    const { page, next } = pageOf(
      validate(policyDocument, { type: policyType, resourceType }, reference()),
      input,
    );
    return { findings: page, ...next };
  };

  return { ValidatePolicy } satisfies OperationsOf<Analyzer>;
}
