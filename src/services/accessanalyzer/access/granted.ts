import type { Statement } from "#policy/compile";
import { listOf } from "#policy/document";
import { compileArnPattern, compilePattern, variablesOf } from "#policy/glob";
import { withoutVariables } from "../document/variables.ts";
import type { Reference } from "../reference/reference.ts";
import { overlap } from "../validation/overlap.ts";

/** Access that is asked about; what is left out is everything. */
export interface AskedAccess {
  /** As policies write them, wildcards and all. */
  readonly actions: readonly string[];
  readonly resources: readonly string[];
}

/** What there was no time for: nobody can say whether it is granted. */
export class TooMuchToCompare extends Error {}

/** Some hundred milliseconds. */
const MOST_STEPS = 3_000_000;
/** Characters that a pattern is compared with in the time of one step, at worst all of it at each of the other's. */
const QUICK = 64;

const NO_KEYS = (): undefined => undefined;

/**
 * The statements that allow some of the access to somebody under some condition. What denials take away again is left out
 * where one of them surely does: unconditional, for everybody, and for all that both the statement and the question speak
 * of. So a statement may be told of that several denials together make void, and none is missed that grants something.
 * @throws TooMuchToCompare
 */
export function granting(
  statements: readonly Statement[],
  asked: AskedAccess,
  reference: Reference,
): readonly Statement[] {
  const work = new Work();
  const denials = statements.filter(isSureDenial);
  const actions = candidates(statements, asked, reference, work);
  const resources = asked.resources.length === 0 ? ["*"] : asked.resources;
  return statements.filter((statement) => {
    if (statement.effect !== "Allow") return false;
    /** The same for every action. */
    let shared: readonly (readonly [common: string, resource: string])[] | undefined;
    return actions.some((action) => {
      work.take(sizeOf(statement));
      if (!statement.concernsAction(action)) return false;
      const denying = denials.filter((denial) => {
        work.take(sizeOf(denial));
        return denial.concernsAction(action);
      });
      shared ??= resources.flatMap((resource) =>
        commonResources(statement, resource, work).map((common) => [common, resource] as const),
      );
      return shared.some((patterns) => !denying.some((denial) => deniesAll(denial, patterns, work)));
    });
  });
}

class Work {
  #steps = 0;

  take(steps: number): void {
    this.#steps += steps;
    if (this.#steps > MOST_STEPS) throw new TooMuchToCompare();
  }

  overlap(a: string, b: string): boolean {
    if (a === "*" || b === "*") return true;
    this.take(a.length * b.length);
    return overlap(a, b);
  }

  covers(wide: string, narrow: string): boolean {
    this.take(narrow.length + (wide.length * narrow.length) / QUICK);
    return covers(wide, narrow);
  }
}

function sizeOf({ element }: Statement): number {
  return 5 + listOf(element.Action ?? element.NotAction).length;
}

/** The single actions that are asked about, in lower case: AWS's, and those that the policy itself names. */
function candidates(
  statements: readonly Statement[],
  { actions }: AskedAccess,
  reference: Reference,
  work: Work,
): readonly string[] {
  const named = statements
    .flatMap(({ element }) => listOf(element.Action ?? element.NotAction))
    .filter((action) => !/[*?]/.test(action));
  const found = new Set<string>();
  for (const pattern of actions.length === 0 ? ["*"] : actions) {
    const folded = pattern.toLowerCase();
    if (!/[*?]/.test(folded)) {
      found.add(folded);
      continue;
    }
    const fits = compilePattern(folded, { wildcards: true, variables: false });
    for (const action of [...reference.actionsOf(folded), ...named.map((name) => name.toLowerCase())]) {
      work.take(folded.length);
      if (fits(action, NO_KEYS) === true) found.add(action);
    }
  }
  return [...found];
}

/** Patterns of what a statement's resources and one that is asked about may have in common. */
function commonResources({ element }: Statement, asked: string, work: Work): readonly string[] {
  if (element.NotResource !== undefined)
    return listOf(element.NotResource).some((excluded) => work.covers(excluded, asked)) ? [] : [asked];
  if (element.Resource === undefined) return [asked];
  return listOf(element.Resource)
    .map((resource) => withoutVariables(resource, () => "*"))
    .filter((resource) => work.overlap(resource, asked));
}

/** Whether it holds for everybody, whatever the request. */
function isSureDenial({ effect, conditions, element }: Statement): boolean {
  const { Principal, NotPrincipal } = element;
  const everybody =
    Principal === undefined ||
    Principal === "*" ||
    (Object.keys(Principal).length === 1 && listOf(Principal["AWS"]).includes("*"));
  return effect === "Deny" && conditions?.length === 0 && everybody && NotPrincipal === undefined;
}

/** Whether a denial is of all that one of the patterns stands for. */
function deniesAll({ element }: Statement, patterns: readonly string[], work: Work): boolean {
  if (element.NotResource !== undefined) {
    const excluded = listOf(element.NotResource).map((resource) => withoutVariables(resource, () => "*"));
    return patterns.some((pattern) => !excluded.some((one) => work.overlap(one, pattern)));
  }
  if (element.Resource === undefined) return true;
  return patterns.some((pattern) =>
    listOf(element.Resource).some((resource) => work.covers(resource, pattern)),
  );
}

/** Whether a pattern surely stands for all that another one does. */
function covers(wide: string, narrow: string): boolean {
  if (wide === "*" || wide === narrow) return variablesOf(wide).length === 0;
  // A variable may be anything, and a `?` is one character, which a wildcard need not be.
  if (variablesOf(wide).length > 0 || (wide.includes("?") && /[*?]/.test(narrow))) return false;
  return compileArnPattern(wide, { variables: false })(narrow, NO_KEYS) === true;
}
