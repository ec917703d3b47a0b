import { isOperator } from "#policy/conditions";
import { isEmptyArray, memberOf, membersOf, type MemberPlace } from "../../document/place.ts";
import type { ConditionView, PolicyView, StatementView } from "../../document/policy.ts";
import { suggestions } from "../advice.ts";
import { errors } from "../errors.ts";
import type { Issue } from "../issue.ts";
import type { CheckContext } from "../report.ts";
import { checkConditionKey } from "./condition-keys.ts";
import { checkValues } from "./condition-values.ts";

/** Conditions: their operators, keys and values. */
export function checkConditions(policy: PolicyView, context: CheckContext): void {
  const { report } = context;
  for (const statement of policy.statements) {
    const condition = memberOf(statement.place, "Condition");
    if (condition === undefined) continue;
    if (condition.node.kind !== "object") {
      report(errors.dataType("Object"), condition);
      continue;
    }
    const operators = membersOf(condition);
    if (operators.length === 0) report(suggestions.emptyConditionObject(), condition);
    for (const operator of operators) checkOperator(operator, report);
    for (const each of statement.conditions) checkCondition(each, statement, policy, context);
  }
}

function checkOperator(operator: MemberPlace, report: CheckContext["report"]): void {
  const [, qualifier = "", base = "", ifExists = ""] =
    /^(?:(ForAllValues|ForAnyValue):)?(.*?)(IfExists)?$/i.exec(operator.name) ?? [];
  const isNull = base.toLowerCase() === "null";
  if (isNull && ifExists !== "") report(errors.nullWithIfExists(), operator.key);
  else if (!isOperator(operator.name)) report(errors.conditionOperator(operator.name), operator.key);
  if (isNull && qualifier !== "") report(suggestions.nullWithQualifier(), operator.key);
  if (operator.node.kind !== "object") {
    report(errors.dataType("Object"), operator);
    return;
  }
  const members = membersOf(operator);
  if (members.length === 0) report(suggestions.emptyConditionObject(), operator);
  const byFolded = new Map<string, MemberPlace[]>();
  for (const member of members) {
    const folded = member.name.toLowerCase();
    byFolded.set(folded, [...(byFolded.get(folded) ?? []), member]);
  }
  for (const same of byFolded.values()) {
    const [first] = same;
    if (first !== undefined && same.some(({ name }) => name !== first.name))
      report(errors.duplicateKeys(first.name), ...same.map(({ key }) => key));
  }
}

function checkCondition(
  condition: ConditionView,
  statement: StatementView,
  policy: PolicyView,
  context: CheckContext,
): void {
  if (!isOperator(condition.operator)) return;
  checkConditionKey(condition, statement, policy, context);
  if (isEmptyArray(condition.member)) {
    context.report(emptyIssue(condition), condition.member);
    return;
  }
  checkValues(condition, context.report);
}

function emptyIssue({ qualifier, ifExists, key }: ConditionView): Issue {
  if (qualifier === "forallvalues") return suggestions.emptyForAllValues(key);
  if (qualifier === "foranyvalue") return suggestions.emptyForAnyValue(key);
  return ifExists ? suggestions.emptyIfExists(key) : suggestions.emptyCondition(key);
}
