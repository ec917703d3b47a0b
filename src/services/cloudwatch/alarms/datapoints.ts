import type * as client from "@aws-sdk/client-cloudwatch";

/** One period of an alarm's evaluation; without a value where no data came. */
export interface AlarmPoint {
  /** Epoch milliseconds of its period's start. */
  readonly time: number;
  readonly value: number | undefined;
  readonly sampleCount?: number | undefined;
}

export type Treatment = "missing" | "notBreaching" | "breaching" | "ignore";

export interface Rule {
  readonly operator: client.ComparisonOperator;
  readonly threshold: number;
  readonly evaluationPeriods: number;
  readonly datapointsToAlarm: number;
  readonly treatment: Treatment;
}

export interface Verdict {
  /** Undefined where the alarm stays as it is. */
  readonly state: client.StateValue | undefined;
  /** The points that it rests on, the most recent first. */
  readonly evaluated: readonly AlarmPoint[];
  /** Periods without data that were filled in by the treatment. */
  readonly filled: number;
}

/**
 * How many periods are looked at: some more than are evaluated, so that data that are missing or late do not count as
 * such as long as there are enough others (user guide, "Configuring how CloudWatch alarms treat missing data": its
 * tables show five for three).
 */
export function evaluationRange(evaluationPeriods: number): number {
  return evaluationPeriods + 2;
}

/**
 * Decides an alarm's state (same chapter). Points that are there count first, however old within the range; only where
 * they are fewer than are to be evaluated, the treatment decides about the rest.
 * @param range all periods of the evaluation range, the most recent first
 */
export function judge(range: readonly AlarmPoint[], rule: Rule): Verdict {
  const { evaluationPeriods, datapointsToAlarm, treatment } = rule;
  const real = range.filter(({ value }) => value !== undefined);
  const recent = real.slice(0, evaluationPeriods);
  const breaching = recent.filter((point) => breaches(point, rule)).length;
  const lacking = evaluationPeriods - recent.length;
  const byCount = (count: number): client.StateValue => (count >= datapointsToAlarm ? "ALARM" : "OK");
  if (lacking <= 0) return { state: byCount(breaching), evaluated: recent, filled: 0 };
  const evaluated = recent.length === 0 ? range.slice(0, evaluationPeriods) : recent;
  if (treatment === "breaching") return { state: byCount(breaching + lacking), evaluated, filled: lacking };
  if (treatment === "notBreaching") return { state: byCount(breaching), evaluated, filled: lacking };
  if (recent.length === 0)
    return { state: treatment === "ignore" ? undefined : "INSUFFICIENT_DATA", evaluated, filled: 0 };
  if (breaching >= datapointsToAlarm) return { state: "ALARM", evaluated, filled: 0 };
  if (breaching < recent.length) return { state: "OK", evaluated, filled: 0 };
  // All that came is breaching, and it is too little. It is an alarm once it is so old that there was time for more.
  const oldest = range.findLastIndex(({ value }) => value !== undefined);
  const old = treatment === "missing" && oldest + 1 >= datapointsToAlarm;
  return { state: old ? "ALARM" : undefined, evaluated, filled: 0 };
}

export function breaches({ value = NaN }: AlarmPoint, { operator, threshold }: Rule): boolean {
  switch (operator) {
    case "GreaterThanThreshold":
      return value > threshold;
    case "GreaterThanOrEqualToThreshold":
      return value >= threshold;
    case "LessThanThreshold":
      return value < threshold;
    case "LessThanOrEqualToThreshold":
      return value <= threshold;
    default:
      return false;
  }
}
