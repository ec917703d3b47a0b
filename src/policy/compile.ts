import { compileConditions, keysOf, type Condition } from "./conditions.ts";
import { CURRENT_VERSION, listOf, type PolicyDocument, type StatementElement } from "./document.ts";
import { compileArnPattern, compilePattern, variablesOf, type Pattern } from "./glob.ts";
import type { ConditionKeys } from "./keys.ts";
import { compileNotPrincipal, compilePrincipal, type PrincipalMatch } from "./principals.ts";

/** Where a statement stands. */
export interface StatementRef {
  /** The policy's ARN, or the name of an inline one. */
  readonly policy: string;
  /** From 0. */
  readonly index: number;
  readonly sid: string | undefined;
}

export interface Statement extends StatementRef {
  readonly effect: "Allow" | "Deny";
  /** `action` in lower case. */
  readonly concernsAction: (action: string) => boolean;
  readonly concernsResource: (resource: string, keys: ConditionKeys) => boolean;
  /** Identity policies name nobody: they speak of whom they are attached to. */
  readonly principal: PrincipalMatch | undefined;
  /** `undefined` where an operator is unknown. Such a statement never allows, and always denies. */
  readonly conditions: readonly Condition[] | undefined;
  readonly element: StatementElement;
}

/** A policy made ready to be asked. */
export interface CompiledPolicy {
  readonly id: string;
  readonly statements: readonly Statement[];
  /** Condition keys, in lower case, that its answers depend on. */
  readonly keys: ReadonlySet<string>;
}

/** Compiles a document that has passed the check of its grammar. */
export function compilePolicy(id: string, document: PolicyDocument): CompiledPolicy {
  const variables = document.Version === CURRENT_VERSION;
  const elements = listOf(document.Statement);
  const keys = elements.flatMap(({ Condition, Resource, NotResource }) => [
    ...keysOf(Condition, variables),
    ...(variables ? [...listOf(Resource), ...listOf(NotResource)].flatMap(variablesOf) : []),
  ]);
  return {
    id,
    statements: elements.map((element, index) => compileStatement(id, index, element, variables)),
    keys: new Set(keys.map((key) => key.toLowerCase())),
  };
}

function compileStatement(
  policy: string,
  index: number,
  element: StatementElement,
  variables: boolean,
): Statement {
  const { Sid, Effect, Principal, NotPrincipal, Condition: conditions } = element;
  return {
    policy,
    index,
    sid: Sid,
    effect: Effect,
    concernsAction: compileActions(element),
    concernsResource: compileResources(element, variables),
    principal:
      NotPrincipal !== undefined
        ? compileNotPrincipal(NotPrincipal)
        : Principal === undefined
          ? undefined
          : compilePrincipal(Principal),
    conditions: compileConditions(conditions, variables),
    element,
  };
}

const NO_KEYS: ConditionKeys = () => undefined;

function compileActions({ Action, NotAction }: StatementElement): Statement["concernsAction"] {
  const fits = anyOf(
    listOf(NotAction ?? Action).map((action) =>
      compilePattern(action.toLowerCase(), { wildcards: true, variables: false }),
    ),
  );
  return NotAction === undefined
    ? (action) => fits(action, NO_KEYS) === true
    : (action) => fits(action, NO_KEYS) !== true;
}

/** Trust policies have no resource: they speak of their role. */
function compileResources(
  { Resource, NotResource }: StatementElement,
  variables: boolean,
): Statement["concernsResource"] {
  if (Resource === undefined && NotResource === undefined) return () => true;
  const fits = anyOf(
    listOf(NotResource ?? Resource).map((resource) => compileArnPattern(resource, { variables })),
  );
  return NotResource === undefined
    ? (resource, keys) => fits(resource, keys) === true
    : // What a variable without a value would have excluded is not known.
      (resource, keys) => fits(resource, keys) === false;
}

/** `undefined` where none fits and one could not be told. */
function anyOf(patterns: readonly Pattern[]): Pattern {
  const [only] = patterns;
  if (patterns.length === 1 && only !== undefined) return only;
  return (text, keys) => {
    let unresolved = false;
    for (const pattern of patterns) {
      const fits = pattern(text, keys);
      if (fits === true) return true;
      if (fits === undefined) unresolved = true;
    }
    return unresolved ? undefined : false;
  };
}
