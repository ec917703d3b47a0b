import type * as client from "@aws-sdk/client-accessanalyzer";
import { compilePolicy, type Statement } from "#policy/compile";
import type { PolicyDocument } from "#policy/document";
import { parsePolicy, PolicyProblem, type PolicyUse } from "#policy/grammar";
import type { Handler, OperationsOf } from "#wire/operation";
import { granting, TooMuchToCompare } from "../access/granted.ts";
import type { AnalyzerDeps } from "../deps.ts";
import { analyzerErrors } from "../errors.ts";
import { LIMITS } from "../limits.ts";

type Analyzer = typeof client;

export function accessCheckOperations({ reference }: Pick<AnalyzerDeps, "reference">) {
  const CheckAccessNotGranted: Handler<Analyzer, "CheckAccessNotGranted"> = (input) => {
    const [access] = input.access ?? [];
    const { actions = [], resources = [] } = access ?? {};
    if (actions.length + resources.length === 0)
      throw analyzerErrors.policy("The access must name actions or resources.");
    const uses =
      input.policyType === "RESOURCE_POLICY" ? (["resource", "trust"] as const) : (["identity"] as const);
    const { statements } = compilePolicy("", read(input.policyDocument ?? "", uses));
    const found = inTime(() => granting(statements, { actions, resources }, reference()));
    if (found.length === 0)
      return {
        result: "PASS",
        message: "The policy document does not grant access to perform the listed actions or resources.",
      };
    return {
      result: "FAIL",
      message: "The policy document grants access to perform one or more of the listed actions or resources.",
      reasons: found.map(describe),
    };
  };

  return { CheckAccessNotGranted } satisfies OperationsOf<Analyzer>;
}

function describe({ sid, index }: Statement): client.ReasonSummary {
  const which = sid === undefined ? `index: ${index}` : `sid: ${sid}`;
  return {
    description: `One or more of the listed actions or resources in the statement with ${which}.`,
    statementIndex: index,
    ...(sid === undefined ? {} : { statementId: sid }),
  };
}

/** @throws AwsError InvalidParameterException */
function read(text: string, uses: readonly PolicyUse[]): PolicyDocument {
  if (text.length > LIMITS.document)
    throw analyzerErrors.policy(`The policy document is longer than ${LIMITS.document} characters.`);
  let problem = "";
  for (const use of uses)
    try {
      return parsePolicy(text, use);
    } catch (error) {
      if (!(error instanceof PolicyProblem)) throw error;
      if (problem === "") problem = error.message;
    }
  throw analyzerErrors.policy(problem);
}

function inTime<T>(compare: () => T): T {
  try {
    return compare();
  } catch (error) {
    throw error instanceof TooMuchToCompare ? analyzerErrors.tooMuch() : error;
  }
}
