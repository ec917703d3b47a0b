import type { StatementRef } from "./compile.ts";
import type { Decision, PolicyKind } from "./decide.ts";

const KINDS: Readonly<Record<PolicyKind, string>> = {
  identity: "identity-based policy",
  resource: "resource-based policy",
  boundary: "permissions boundary",
  session: "session policy",
};

export type Denial = Extract<Decision, { readonly allowed: false }>;

/**
 * AWS's words for a denial (IAM user guide, "Troubleshoot access denied error messages").
 * @param action as the service spells it there
 * @param resource as the service names it there; undefined where it names none
 */
export function denialText(
  requesterArn: string,
  action: string,
  resource: string | undefined,
  denial: Pick<Denial, "kind" | "statement">,
): string {
  const on = resource === undefined ? "" : ` on resource: ${resource}`;
  const because =
    denial.statement === undefined
      ? `because no ${KINDS[denial.kind]} allows the ${action} action`
      : `with an explicit deny in ${article(denial.kind)} ${KINDS[denial.kind]}${named(denial.statement)}`;
  return `User: ${requesterArn} is not authorized to perform: ${action}${on} ${because}`;
}

/** Managed policies are named, which inline ones have no ARN for. */
function named({ policy }: StatementRef): string {
  return /^arn:[^:]*:iam:/.test(policy) ? `: ${policy}` : "";
}

function article(kind: PolicyKind): string {
  return kind === "identity" ? "an" : "a";
}
