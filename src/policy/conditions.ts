import { listOf, type ConditionElement } from "./document.ts";
import { variablesOf } from "./glob.ts";
import type { ConditionKeys } from "./keys.ts";
import { OPERATORS, type Operator, type ValueTest } from "./operators.ts";

/** One operator on one key. */
export interface Condition {
  readonly operator: string;
  /** As the policy writes it. */
  readonly key: string;
  readonly holds: (keys: ConditionKeys) => boolean;
}

/** What may stand before an operator, and after it. */
const NAME = /^(?:(ForAllValues|ForAnyValue):)?([A-Za-z]+?)(IfExists)?$/i;

/** Whether IAM knows an operator; `Null` does not take `IfExists`. */
export function isOperator(name: string): boolean {
  const [, , base = "", ifExists] = NAME.exec(name) ?? [];
  return OPERATORS.has(base.toLowerCase()) || (base.toLowerCase() === "null" && ifExists === undefined);
}

/** `undefined` where the element has an operator that is unknown: nobody can say whether it holds. */
export function compileConditions(
  element: ConditionElement | undefined,
  variables: boolean,
): readonly Condition[] | undefined {
  const conditions: Condition[] = [];
  for (const [operator, byKey] of Object.entries(element ?? {}))
    for (const [key, values] of Object.entries(byKey)) {
      const holds = compileCondition(operator, key, listOf(values).map(String), variables);
      if (holds === undefined) return undefined;
      conditions.push({ operator, key, holds });
    }
  return conditions;
}

/** The keys that an element's outcome depends on, as they are written. */
export function keysOf(element: ConditionElement | undefined, variables: boolean): readonly string[] {
  return Object.values(element ?? {}).flatMap((byKey) =>
    Object.entries(byKey).flatMap(([key, values]) => [
      key,
      ...(variables ? listOf(values).flatMap((value) => variablesOf(String(value))) : []),
    ]),
  );
}

function compileCondition(
  name: string,
  key: string,
  wanted: readonly string[],
  variables: boolean,
): Condition["holds"] | undefined {
  const [, set, base = "", ifExists] = NAME.exec(name) ?? [];
  const folded = key.toLowerCase();
  if (base.toLowerCase() === "null") {
    const absent = wanted.some((value) => value.toLowerCase() === "true");
    const present = wanted.some((value) => value.toLowerCase() === "false");
    return (keys) => ((keys(folded)?.length ?? 0) === 0 ? absent : present);
  }
  const operator = OPERATORS.get(base.toLowerCase());
  if (operator === undefined) return undefined;
  const fits = compileValues(operator, wanted, variables);
  if (set === undefined) return single(folded, operator, fits, ifExists !== undefined);
  if (set.toLowerCase() === "forallvalues")
    return (keys) => (keys(folded) ?? []).every((value) => fits(value, keys));
  return (keys) => {
    const values = keys(folded) ?? [];
    if (values.length === 0) return ifExists !== undefined;
    return values.some((value) => fits(value, keys));
  };
}

/** Of a key with several values, one must fit; of a negated operator, none may be what it forbids. */
function single(
  key: string,
  operator: Operator,
  fits: (value: string, keys: ConditionKeys) => boolean,
  ifExists: boolean,
): Condition["holds"] {
  return (keys) => {
    const values = keys(key);
    if (values === undefined || values.length === 0) return operator.negated || ifExists;
    return operator.negated
      ? values.every((value) => fits(value, keys))
      : values.some((value) => fits(value, keys));
  };
}

/** Whether one value of the request satisfies the operator: fits any of the policy's values, or, negated, none. */
function compileValues(operator: Operator, wanted: readonly string[], variables: boolean) {
  const tests: readonly ValueTest[] = wanted.map((value) => operator.compile(value, variables));
  return (value: string, keys: ConditionKeys): boolean => {
    let unresolved = false;
    for (const test of tests) {
      const fits = test(value, keys);
      if (fits === true) return !operator.negated;
      if (fits === undefined) unresolved = true;
    }
    // What a variable without a value would have excluded is not known, so a negated operator does not hold.
    return operator.negated && !unresolved;
  };
}
