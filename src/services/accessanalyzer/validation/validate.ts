import type { ValidatePolicyFinding } from "@aws-sdk/client-accessanalyzer";
import { JsonProblem, parseJson, type JsonNode } from "../document/json.ts";
import { viewPolicy, type PolicyUse, type PolicyView } from "../document/policy.ts";
import { Positions } from "../document/positions.ts";
import type { Reference } from "../reference/reference.ts";
import { checkActions } from "./checks/actions.ts";
import { checkBreadth } from "./checks/breadth.ts";
import { checkConditions } from "./checks/conditions.ts";
import { checkIdentifiers } from "./checks/identifiers.ts";
import { checkPrincipals } from "./checks/principals.ts";
import { checkRedundancy } from "./checks/redundancy.ts";
import { checkResources } from "./checks/resources.ts";
import { checkSize } from "./checks/size.ts";
import { checkStructure } from "./checks/structure.ts";
import { checkVariables } from "./checks/variables.ts";
import { errors } from "./errors.ts";
import { Findings, type CheckContext } from "./report.ts";

const CHECKS: readonly ((policy: PolicyView, context: CheckContext) => void)[] = [
  checkStructure,
  checkSize,
  checkIdentifiers,
  checkPrincipals,
  checkActions,
  checkResources,
  checkConditions,
  checkVariables,
  checkBreadth,
  checkRedundancy,
];

/** Everything that is to be said of a policy, the errors of its structure first. */
export function validate(
  text: string,
  use: PolicyUse,
  reference: Reference,
): readonly ValidatePolicyFinding[] {
  const positions = new Positions(text);
  const findings = new Findings(reference, positions);
  let node: JsonNode;
  try {
    node = parseJson(text);
  } catch (error) {
    if (!(error instanceof JsonProblem)) throw error;
    const { offset } = error;
    const { line = 1, column = 0 } = positions.at(offset);
    const place = { node: { kind: "null", value: null, start: offset, end: offset } as const, path: [] };
    findings.report(errors.jsonSyntax(offset, line, column), place);
    return findings.all;
  }
  const policy = viewPolicy(use, text, { node, path: [] });
  for (const check of CHECKS) check(policy, findings);
  return findings.all;
}
