import type * as client from "@aws-sdk/client-cloudwatch";
import { type AlarmPoint, breaches, type Rule, type Verdict } from "./datapoints.ts";
import { javaDate, javaDouble, JavaDouble, javaJson } from "./java.ts";

const WORDS: Readonly<Partial<Record<client.ComparisonOperator, string>>> = {
  GreaterThanThreshold: "greater than",
  GreaterThanOrEqualToThreshold: "greater than or equal to",
  LessThanThreshold: "less than",
  LessThanOrEqualToThreshold: "less than or equal to",
};

const TREATED = {
  breaching: "Breaching",
  notBreaching: "NonBreaching",
  missing: "Missing",
  ignore: "Ignored",
};

/**
 * Why a state was taken, in AWS's words (recorded): with DatapointsToAlarm set they tell of datapoints out of the last
 * ones, and what a transition needs.
 */
export function reasonOf(
  { evaluated, filled }: Verdict,
  state: client.StateValue,
  rule: Rule,
  explicit: boolean,
): string {
  if (state === "INSUFFICIENT_DATA")
    return `Insufficient Data: ${plural(rule.evaluationPeriods, "datapoint")} ${were(rule.evaluationPeriods)} unknown.`;
  const real = evaluated.filter(({ value }) => value !== undefined);
  const treated = `${plural(filled, "missing datapoint")} ${were(filled)} treated as [${TREATED[rule.treatment]}]`;
  if (real.length === 0)
    return `Threshold Crossed: no datapoints were received for ${plural(filled, "period")} and ${treated}.`;
  const telling = real.filter((point) => breaches(point, rule) === (state === "ALARM"));
  const shown = telling.length === 0 ? real : telling;
  const list = shown.map(({ time, value = NaN }) => `${javaDouble(value)} (${shortDate(time)})`).join(", ");
  const count = explicit
    ? `${shown.length} out of the last ${plural(rule.evaluationPeriods, "datapoint", true)}`
    : plural(shown.length, "datapoint");
  const negation = state === "ALARM" ? "" : "not ";
  const comparison = `${negation}${WORDS[rule.operator] ?? ""} the threshold (${javaDouble(rule.threshold)})`;
  const needed =
    state === "ALARM" ? rule.datapointsToAlarm : rule.evaluationPeriods - rule.datapointsToAlarm + 1;
  const minimum = explicit
    ? ` (minimum ${plural(needed, "datapoint")} for ${state === "ALARM" ? "OK -> ALARM" : "ALARM -> OK"} transition)`
    : "";
  const rest = filled > 0 ? ` and ${treated}` : "";
  return `Threshold Crossed: ${count} [${list}] ${were(shown.length)} ${comparison}${minimum}${rest}.`;
}

export interface ReasonContext {
  /** Epoch milliseconds of the evaluation. */
  readonly now: number;
  /** Seconds. */
  readonly period: number;
  readonly statistic: string | undefined;
  readonly unit: string | undefined;
}

/** StateReasonData, as recorded. */
export function reasonDataOf(
  { evaluated }: Verdict,
  { threshold }: Rule,
  { now, period, statistic, unit }: ReasonContext,
): string {
  const real = evaluated.filter(({ value }) => value !== undefined);
  const first = real.at(-1);
  return javaJson({
    version: "1.0",
    queryDate: javaDate(now),
    startDate: first === undefined ? undefined : javaDate(first.time),
    unit,
    statistic,
    period,
    recentDatapoints: real.toReversed().map(({ value = NaN }) => new JavaDouble(value)),
    threshold: new JavaDouble(threshold),
    evaluatedDatapoints: evaluated.map(pointData),
  });
}

function pointData({ time, value, sampleCount }: AlarmPoint) {
  return {
    timestamp: javaDate(time),
    sampleCount: sampleCount === undefined ? undefined : new JavaDouble(sampleCount),
    value: value === undefined ? undefined : new JavaDouble(value),
  };
}

function plural(count: number, noun: string, always = false): string {
  return `${count} ${noun}${count === 1 && !always ? "" : "s"}`;
}

function were(count: number): string {
  return count === 1 ? "was" : "were";
}

/** `26/02/26 10:12:00`. */
function shortDate(time: number): string {
  const [, year, month, day, clock] =
    /^\d\d(\d\d)-(\d\d)-(\d\d)T([\d:]{8})/.exec(new Date(time).toISOString()) ?? [];
  return `${day}/${month}/${year} ${clock}`;
}
