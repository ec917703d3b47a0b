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
 * @param resource left out where the action works on none
 */
export function denialText(
  requesterArn: string,
  action: string,
  resource: string | undefined,
  denial: Pick<Denial, "kind" | "statement">,
): string {
  const on = resource === undefined || resource === "*" ? "" : ` on resource: ${resource}`;
  const because =
    denial.statement === undefined
      ? `because no ${KINDS[denial.kind]} allows the ${action} action`
      : `with an explicit deny in ${article(denial.kind)} ${KINDS[denial.kind]}`;
  return `User: ${requesterArn} is not authorized to perform: ${action}${on} ${because}`;
}

function article(kind: PolicyKind): string {
  return kind === "identity" ? "an" : "a";
}
