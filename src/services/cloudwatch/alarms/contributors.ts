import { createHash } from "node:crypto";
import { parseSelect, isSelect } from "../math/select.ts";
import type { TimeSeries } from "../query/series.ts";
import { type AlarmPoint, judge, type Rule } from "./datapoints.ts";
import { reasonOf } from "./reason.ts";
import type { AlarmState, ContributorState, MetricAlarmSettings, NewState } from "./records.ts";

/** A series of an alarm's query: it is in ALARM or OK by itself. */
export interface Contributor {
  readonly id: string;
  /** The values of the query's GROUP BY. */
  readonly attributes: Readonly<Record<string, string>>;
}

/** A contributor that went to another state. */
export interface ContributorChange {
  readonly contributor: Contributor;
  readonly from: AlarmState;
  readonly to: AlarmState;
}

export interface ContributorsVerdict {
  /** The alarm's own; undefined where it stays as it is. */
  readonly state: NewState | undefined;
  /** Those that are, or were, in ALARM. */
  readonly contributors: readonly ContributorState[];
  readonly changes: readonly ContributorChange[];
}

/** Whether an alarm watches each of the series that its query comes to (user guide, "Create a CloudWatch alarm based on a Metrics Insights query"). */
export function hasContributors({ Metrics = [] }: MetricAlarmSettings): boolean {
  return Metrics.some(
    ({ Expression, ReturnData = true }) =>
      ReturnData &&
      Expression !== undefined &&
      isSelect(Expression) &&
      parseSelect(Expression).groupBy.length > 0,
  );
}

/**
 * Judges every series by itself. The alarm is in ALARM as long as one of them is. A series that is there no more, or of
 * which nothing can be said, is OK unless missing data are to be ignored: contributors have no third state (user guide,
 * "Acting on alarm changes").
 * @param times the starts of the periods of the evaluation range, the most recent first
 */
export function judgeContributors(
  series: readonly TimeSeries[],
  before: readonly ContributorState[],
  times: readonly number[],
  rule: Rule,
  explicit: boolean,
  now: number,
): ContributorsVerdict {
  const known = new Map(before.map((contributor) => [contributor.id, contributor]));
  const contributors: ContributorState[] = [];
  const changes: ContributorChange[] = [];
  for (const { group = {}, points } of series) {
    const contributor = { id: idOf(group), attributes: group };
    const last = known.get(contributor.id);
    known.delete(contributor.id);
    const verdict = judge(
      times.map((time): AlarmPoint => ({ time, value: points.get(time) })),
      rule,
    );
    const basis = verdict.evaluated.find(({ value }) => value !== undefined)?.time;
    // As of alarms: older periods had their say before the state was taken.
    const older = basis !== undefined && last?.basis !== undefined && basis < last.basis;
    const is = last?.value ?? "OK";
    const state = older ? is : (verdict.state ?? is);
    const value = state === "ALARM" ? "ALARM" : "OK";
    if (value === is) {
      if (last !== undefined) contributors.push(last);
      continue;
    }
    const reason = reasonOf(verdict, state, rule, explicit);
    contributors.push({ ...contributor, value, reason, transitionedAt: now, basis });
    changes.push({ contributor, from: stateOf(last, now), to: stateOf({ value, reason }, now) });
  }
  for (const last of known.values()) {
    if (last.value === "OK") continue;
    const { id, attributes } = last;
    const to = { value: "OK", reason: "The contributor has no datapoints." } as const;
    if (rule.treatment === "ignore") contributors.push(last);
    else changes.push({ contributor: { id, attributes }, from: stateOf(last, now), to: stateOf(to, now) });
  }
  return { state: alarmState(series.length, contributors, rule), contributors, changes };
}

/** The same for as long as its values are; AWS's ids have 16 characters at most. */
function idOf(attributes: Contributor["attributes"]): string {
  return createHash("sha256").update(JSON.stringify(attributes)).digest("hex").slice(0, 16);
}

/** @param last its state; undefined of one that was in none, which is OK */
function stateOf(
  last: (Pick<ContributorState, "value" | "reason"> & Partial<ContributorState>) | undefined,
  now: number,
): AlarmState {
  const { value = "OK", reason = "", transitionedAt = now } = last ?? {};
  return { value, reason, updatedAt: transitionedAt, transitionedAt };
}

function alarmState(
  series: number,
  contributors: readonly ContributorState[],
  rule: Rule,
): NewState | undefined {
  const inAlarm = contributors.filter(({ value }) => value === "ALARM").length;
  const were = inAlarm === 1 ? "contributor was" : "contributors were";
  if (inAlarm > 0) return { value: "ALARM", reason: `Threshold Crossed: ${inAlarm} ${were} in ALARM state.` };
  if (series > 0) return { value: "OK", reason: `Threshold Crossed: 0 ${were} in ALARM state.` };
  const { state: value } = judge([], rule);
  return value === undefined ? undefined : { value, reason: "The query came to no time series." };
}
