import { compilePattern } from "#policy/glob";
import { valueOf, type Text } from "../../document/place.ts";
import type { Listed, PolicyView, StatementView } from "../../document/policy.ts";
import { suggestions } from "../advice.ts";
import type { CheckContext } from "../report.ts";

const NO_KEYS = (): undefined => undefined;

/** Characters that are compared in the time of one step. */
const QUICK = 64;

/** Actions, resources and statements that change nothing because others say the same. */
export function checkRedundancy(policy: PolicyView, context: CheckContext): void {
  const { report } = context;
  for (const { actions, resources } of policy.statements) {
    const folded = covered(actions, (text) => text.toLowerCase(), context);
    const [first] = folded;
    if (first !== undefined) report(suggestions.redundantAction(folded.length, first.text), ...folded);
    const same = covered(resources, (text) => text, context);
    if (same.length > 0) report(suggestions.redundantResource(same.length), ...same);
  }
  const byMeaning = new Map<string, StatementView[]>();
  for (const statement of policy.statements) {
    const meaning = meaningOf(statement);
    byMeaning.set(meaning, [...(byMeaning.get(meaning) ?? []), statement]);
  }
  for (const statements of byMeaning.values())
    if (statements.length > 1)
      report(suggestions.redundantStatement(), ...statements.map(({ place }) => place));
}

/** The entries that another entry of the list stands for; of equal ones, all but the first. */
function covered(
  list: Listed | undefined,
  form: (text: string) => string,
  { mayTake }: CheckContext,
): readonly Text[] {
  if (list === undefined || list.texts.length < 2) return [];
  const seen = new Set<string>();
  const found = new Set<Text>();
  for (const text of list.texts) {
    const key = form(text.text);
    if (seen.has(key)) found.add(text);
    seen.add(key);
  }
  const length = list.texts.reduce((sum, { text }) => sum + text.length, 0);
  for (const wide of list.texts) {
    const key = form(wide.text);
    // To compare two texts takes as long as both lengths multiplied where they were made for that.
    const steps = list.texts.length * 20 + (key.length * length) / QUICK;
    if (!/[*?]/.test(key) || found.has(wide) || !mayTake(steps)) continue;
    const fits = compilePattern(key, { wildcards: true, variables: false });
    for (const text of list.texts) {
      const other = form(text.text);
      // A `?` stands for one character, which a `*` of the other need not be.
      if (other !== key && !(key.includes("?") && /[*?]/.test(other)) && fits(other, NO_KEYS) === true)
        found.add(text);
    }
  }
  return list.texts.filter((text) => found.has(text));
}

/** What a statement says, whatever its name and the order of its lists. */
function meaningOf({ place }: StatementView): string {
  const { Sid: _, ...rest } = valueOf(place.node) as Record<string, unknown>;
  return JSON.stringify(canonical(rest));
}

/** One form for all that means the same: lists sorted, those of one element as that element. */
function canonical(value: unknown): unknown {
  if (Array.isArray(value)) {
    const items = value.map((item) => canonical(item));
    return items.length === 1 ? items[0] : sorted(items);
  }
  if (typeof value !== "object" || value === null) return value;
  return sorted(Object.entries(value).map(([key, item]) => [key, canonical(item)]));
}

function sorted(items: readonly unknown[]): readonly unknown[] {
  return items
    .map((item) => [JSON.stringify(item), item] as const)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([, item]) => item);
}
