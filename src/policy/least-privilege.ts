import { CURRENT_VERSION } from "./document.ts";
import { compilePattern } from "./glob.ts";

/** One statement of a policy, as suggestions write it. */
export interface SuggestedStatement {
  readonly Effect: "Allow";
  readonly Action: readonly string[];
  readonly Resource: readonly string[];
}

/** A permission that was used. */
export interface UsedPermission {
  readonly action: string;
  readonly resource: string;
}

/** A statement that grants, with the policy that it stands in. */
export interface Grant {
  readonly policy: string;
  readonly action: string;
  readonly resource: string;
}

/** The smallest policy that covers what was used: actions on the same resources share a statement. */
export function smallestPolicy(used: readonly UsedPermission[]): readonly SuggestedStatement[] {
  const resourcesOf = new Map<string, Set<string>>();
  for (const { action, resource } of used) {
    // Services spell their own names as they like in denials; policies are written in lower case.
    const [service = "", name = ""] = action.split(":");
    const spelled = `${service.toLowerCase()}:${name}`;
    const resources = resourcesOf.get(spelled) ?? new Set();
    resourcesOf.set(spelled, resources.add(resource));
  }
  const actionsOf = new Map<string, { readonly resources: readonly string[]; readonly actions: string[] }>();
  for (const [action, resources] of resourcesOf) {
    const sorted = [...resources].sort();
    const key = sorted.join("\n");
    const group = actionsOf.get(key) ?? { resources: sorted, actions: [] };
    group.actions.push(action);
    actionsOf.set(key, group);
  }
  return [...actionsOf.values()]
    .map(({ resources, actions }) => ({
      Effect: "Allow" as const,
      Action: actions.sort(),
      Resource: resources,
    }))
    .sort((a, b) => (String(a.Action) < String(b.Action) ? -1 : 1));
}

/** A document of statements, as IAM takes it. */
export function suggestedDocument(statements: readonly SuggestedStatement[]) {
  return { Version: CURRENT_VERSION, Statement: statements };
}

/** What is granted and was never used: no use fits both its action and its resource. */
export function unusedGrants(grants: readonly Grant[], used: readonly UsedPermission[]): readonly Grant[] {
  return grants.filter(
    (grant) =>
      !used.some(
        ({ action, resource }) =>
          fits(grant.action.toLowerCase(), action.toLowerCase()) &&
          (grant.resource === "*" || fits(grant.resource, resource)),
      ),
  );
}

/** What a role's policy documents grant. @param documents by the policy's name or ARN */
export function grantsOf(documents: ReadonlyMap<string, string>): readonly Grant[] {
  const grants: Grant[] = [];
  for (const [policy, text] of documents) {
    const { Statement: statements } = JSON.parse(text) as { readonly Statement: unknown };
    for (const statement of [statements].flat() as Record<string, unknown>[]) {
      if (statement["Effect"] !== "Allow") continue;
      const actions = statement["NotAction"] === undefined ? list(statement["Action"]) : ["*"];
      const resources = statement["NotResource"] === undefined ? list(statement["Resource"]) : ["*"];
      for (const action of actions)
        for (const resource of resources) grants.push({ policy, action, resource });
    }
  }
  return grants;
}

function list(value: unknown): readonly string[] {
  return value === undefined ? [] : ([value].flat() as string[]);
}

const NO_KEYS = (): undefined => undefined;

function fits(pattern: string, text: string): boolean {
  return compilePattern(pattern, { wildcards: true, variables: false })(text, NO_KEYS) === true;
}
