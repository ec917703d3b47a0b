import type { Statement } from "./compile.ts";
import { applies, type PolicySet } from "./policy-set.ts";
import type { PolicyRequest } from "./verdict.ts";

/** What became of one statement that was looked at. */
export interface StatementOutcome {
  readonly policy: string;
  /** From 0. */
  readonly index: number;
  readonly sid: string | undefined;
  readonly effect: "Allow" | "Deny";
  /** `applies`, or the first element that does not fit, a condition with its operator and key. */
  readonly outcome: string;
}

/** Every statement of a set, with why it applies to a request or does not. */
export function explain(set: PolicySet, request: PolicyRequest): readonly StatementOutcome[] {
  return set.policies.flatMap(({ statements }) =>
    statements.map((statement) => {
      const { policy, index, sid, effect } = statement;
      return { policy, index, sid, effect, outcome: outcomeOf(statement, request) };
    }),
  );
}

function outcomeOf(statement: Statement, request: PolicyRequest): string {
  if (applies(statement, request) !== undefined) return "applies";
  if (!statement.concernsAction(request.action)) return "another action";
  if (statement.principal?.(request.requester) === undefined && statement.principal !== undefined)
    return "another principal";
  if (!statement.concernsResource(request.resource, request.keys)) return "another resource";
  const failed = statement.conditions?.find((condition) => !condition.holds(request.keys));
  return failed === undefined
    ? "an unknown condition operator"
    : `condition ${failed.operator} ${failed.key}`;
}
