import type { UsageStore } from "#telemetry/usage/store";
import { addUsage, DAY_MS, dayOf, noUsage, type Usage, type UsageOwner } from "#telemetry/usage/usage";

/** What a function used in a day or month, as `/_thaw/cost` tells it. */
export interface UsageLine extends Usage {
  /** A day such as `2026-01-31`, or a month such as `2026-01`. */
  readonly period: string;
  readonly account: string;
  readonly region: string;
  readonly function: string;
  readonly architecture: UsageOwner["architecture"];
}

/** Where nothing else is asked for. */
const DAYS = 30;

/**
 * Usage by function and period, the first period first. The query may say `from` and `to` (days, both inclusive),
 * `function` (a name) and `by` (`day` or `month`); undefined where it cannot be read.
 */
export async function readUsage(
  store: Pick<UsageStore, "each" | "settle">,
  query: string,
  now: number,
): Promise<{ readonly usage: readonly UsageLine[] } | undefined> {
  const asked = new URLSearchParams(query);
  const to = dayIn(asked.get("to"), dayOf(now));
  const from = dayIn(asked.get("from"), dayOf(now) - DAYS + 1);
  const by = asked.get("by") ?? "month";
  if (to === undefined || from === undefined || (by !== "day" && by !== "month")) return undefined;
  // What was told once is not taken back.
  await store.settle();
  const lines = new Map<string, UsageLine>();
  const name = asked.get("function") ?? undefined;
  await store.each({ from, to, name }, (owner, day, usage) => {
    const period = new Date(day * DAY_MS).toISOString().slice(0, by === "day" ? 10 : 7);
    const { account, region, name: of, architecture } = owner;
    const key = [period, account, region, of, architecture].join("\n");
    let line = lines.get(key);
    if (line === undefined)
      lines.set(key, (line = { period, account, region, function: of, architecture, ...noUsage() }));
    addUsage(line, usage);
  });
  return {
    usage: [...lines].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, line]) => line),
  };
}

function dayIn(text: string | null, standard: number): number | undefined {
  if (text === null) return standard;
  const time = /^\d{4}-\d\d-\d\d$/.test(text) ? Date.parse(`${text}T00:00:00Z`) : Number.NaN;
  return Number.isNaN(time) || time < 0 ? undefined : dayOf(time);
}
