import { compilePattern } from "#policy/glob";
import type { Place, Text } from "../../document/place.ts";
import { hasKey, type PolicyView, type StatementView } from "../../document/policy.ts";
import { securityWarnings, warnings, type Breadth } from "../advice.ts";
import type { Issue } from "../issue.ts";
import type { CheckContext } from "../report.ts";

/** An action that hands over more than itself, what narrows it, and the paths under which its roles are. */
interface Sensitive {
  readonly action: string;
  readonly narrowedBy: string;
  readonly paths: RegExp;
  readonly issue: (breadth: Breadth) => Issue;
}

const SENSITIVE: readonly Sensitive[] = [
  {
    action: "iam:passrole",
    narrowedBy: "iam:passedtoservice",
    paths: /^role\/(?:service-role\/|aws-service-role\/)?/,
    issue: securityWarnings.passRole,
  },
  {
    action: "iam:createservicelinkedrole",
    narrowedBy: "iam:awsservicename",
    paths: /^role\/(?:aws-service-role\/)?/,
    issue: warnings.createServiceLinkedRole,
  },
];

const NO_KEYS = (): undefined => undefined;

/** Roles that may be passed, or made for a service, without saying which. */
export function checkBreadth(policy: PolicyView, { report }: CheckContext): void {
  if (policy.use.type !== "IDENTITY_POLICY") return;
  for (const statement of policy.statements)
    if (statement.effect === "Allow")
      for (const sensitive of SENSITIVE) {
        const found = breadthOf(statement, sensitive);
        if (found !== undefined) report(sensitive.issue(found.breadth), ...found.places);
      }
}

function breadthOf(
  statement: StatementView,
  { action, narrowedBy, paths }: Sensitive,
): { readonly breadth: Breadth; readonly places: readonly Place[] } | undefined {
  const { actions, resources } = statement;
  if (actions === undefined || resources === undefined) return undefined;
  const naming = actions.texts.filter(({ text }) => fits(text, action));
  if (naming.length > 0 === actions.negated) return undefined;
  const exact = naming.filter(({ text }) => !/[*?]/.test(text));
  const how = actions.negated ? "not" : exact.length > 0 ? "exact" : "star";
  const onActions: readonly Place[] = actions.negated ? [actions.member] : exact.length > 0 ? exact : naming;
  if (resources.negated) {
    const breadths = {
      exact: "NOT_RESOURCE",
      star: "STAR_IN_ACTION_AND_NOT_RESOURCE",
      not: "NOT_ACTION_AND_NOT_RESOURCE",
    } as const;
    return { breadth: breadths[how], places: [...onActions, resources.member] };
  }
  const open = resources.texts.filter((resource) => isOpen(resource, paths));
  if (open.length === 0 || hasKey(statement, narrowedBy)) return undefined;
  const breadths = {
    exact: "STAR_IN_RESOURCE",
    star: "STAR_IN_ACTION_AND_RESOURCE",
    not: "STAR_IN_RESOURCE_AND_NOT_ACTION",
  } as const;
  return { breadth: breadths[how], places: [...onActions, ...open] };
}

function fits(pattern: string, action: string): boolean {
  const compiled = compilePattern(pattern.toLowerCase(), { wildcards: true, variables: false });
  return compiled(action, NO_KEYS) === true;
}

/** Whether an ARN stands for roles of any name; `role/Service*` names those of a service. */
function isOpen({ text }: Text, paths: RegExp): boolean {
  if (/^\*+$/.test(text)) return true;
  const [scheme, , service = "", , , ...rest] = text.split(":");
  if (scheme !== "arn" || (service !== "iam" && service !== "*")) return false;
  const resource = rest.join(":");
  return rest.length === 0 ? text.endsWith("*") : /^[*?]/.test(resource.replace(paths, ""));
}
