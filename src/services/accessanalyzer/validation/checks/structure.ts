import { POLICY_MEMBERS, POLICY_VERSIONS, STATEMENT_MEMBERS } from "#policy/document";
import type { JsonNode } from "../../document/json.ts";
import { elementsOf, isEmptyArray, memberOf, membersOf, type Place } from "../../document/place.ts";
import type { PolicyView, StatementView } from "../../document/policy.ts";
import { suggestions, warnings } from "../advice.ts";
import { errors } from "../errors.ts";
import type { CheckContext } from "../report.ts";

const PAIRS = [
  ["Action", "NotAction"],
  ["Resource", "NotResource"],
  ["Principal", "NotPrincipal"],
] as const;

/** Elements that are missing, unknown, of the wrong type, or not to stand together. */
export function checkStructure(policy: PolicyView, { report }: CheckContext): void {
  const { root } = policy;
  if (root.node.kind !== "object") {
    report(errors.dataType("Object"), root);
    return;
  }
  for (const { name, key } of membersOf(root))
    if (!POLICY_MEMBERS.has(name)) report(errors.policyElement(name), key);
  checkVersion(root, report);
  const id = memberOf(root, "Id");
  if (id !== undefined) requireType(id, ["string"], "String", report);
  const statement = memberOf(root, "Statement");
  if (statement === undefined || isEmptyArray(statement)) {
    report(errors.missingStatement(), statement ?? root);
    return;
  }
  for (const place of elementsOf(statement)) requireType(place, ["object"], "Object", report);
  for (const each of policy.statements) checkStatement(each, policy, report);
}

function checkVersion(root: Place, report: CheckContext["report"]): void {
  const version = memberOf(root, "Version");
  if (version === undefined) report(warnings.missingVersion(), root);
  else if (version.node.kind !== "string") report(errors.dataType("String"), version);
  else if (!POLICY_VERSIONS.includes(version.node.value))
    report(errors.version(version.node.value, POLICY_VERSIONS.join(", ")), version);
}

function checkStatement(statement: StatementView, policy: PolicyView, report: CheckContext["report"]): void {
  const { place } = statement;
  for (const { name, key } of membersOf(place))
    if (!STATEMENT_MEMBERS.has(name)) report(errors.policyElement(name), key);
  for (const [plain, negated] of PAIRS) {
    const [first, second] = [memberOf(place, plain), memberOf(place, negated)];
    if (first !== undefined && second !== undefined)
      report(errors.elementCombination(plain, negated), first.key, second.key);
  }
  const sid = memberOf(place, "Sid");
  if (sid !== undefined) requireType(sid, ["string"], "String", report);
  checkEffect(place, report);
  checkLists(statement, policy, report);
}

function checkEffect(place: Place, report: CheckContext["report"]): void {
  const effect = memberOf(place, "Effect");
  if (effect === undefined) report(errors.missingEffect(), place);
  else if (effect.node.kind !== "string") report(errors.dataType("String"), effect);
  else if (effect.node.value !== "Allow" && effect.node.value !== "Deny")
    report(errors.effect(effect.node.value), effect);
}

function checkLists(
  { place, actions, resources }: StatementView,
  policy: PolicyView,
  report: CheckContext["report"],
): void {
  if (actions === undefined) report(errors.missingAction(), place);
  else if (isEmptyArray(actions.member)) report(suggestions.emptyActions(), actions.member);
  if (resources === undefined) {
    if (!mayLackResource(policy, actions?.texts.map(({ text }) => text) ?? []))
      report(errors.missingResource(), place);
  } else if (isEmptyArray(resources.member)) report(suggestions.emptyResources(), resources.member);
  for (const list of [actions, resources])
    if (list !== undefined)
      for (const entry of elementsOf(list.member)) requireType(entry, ["string"], "String", report);
}

/** A role's trust policy names none; without the type of the resource, its actions tell that it is one. */
function mayLackResource({ use, trust }: PolicyView, actions: readonly string[]): boolean {
  if (trust) return true;
  if (use.type !== "RESOURCE_POLICY" || use.resourceType !== undefined) return false;
  return actions.length > 0 && actions.every((action) => action.toLowerCase().startsWith("sts:"));
}

function requireType(
  place: Place,
  kinds: readonly JsonNode["kind"][],
  type: string,
  report: CheckContext["report"],
): void {
  if (!kinds.includes(place.node.kind)) report(errors.dataType(type), place);
}
