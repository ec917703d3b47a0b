import type * as client from "@aws-sdk/client-cloudwatch";
import type { CloudWatchDeps } from "../deps.ts";
import { floor, MINUTE, SECOND } from "../data/layers.ts";
import { metricOf, type Scope } from "../data/metric.ts";
import { readQueries } from "../query/request.ts";
import { runQueries } from "../query/run.ts";
import type { TimeSeries } from "../query/series.ts";
import { evaluate } from "../statistics/evaluate.ts";
import { isSimple, parseStatistic, type Statistic } from "../statistics/statistic.ts";
import { type ContributorsVerdict, hasContributors, judgeContributors } from "./contributors.ts";
import { type AlarmPoint, evaluationRange, judge, type Rule, type Treatment } from "./datapoints.ts";
import { reasonDataOf, reasonOf } from "./reason.ts";
import type { MetricAlarmDocument, MetricAlarmSettings, NewState } from "./records.ts";

/** Seconds of an alarm's period; of a metric-math alarm, the longest of its metrics and expressions. */
export function periodOf({ Period, Metrics = [] }: MetricAlarmSettings): number {
  if (Period !== undefined) return Period;
  return Math.max(...Metrics.map((query) => query.MetricStat?.Period ?? query.Period ?? 0), 10);
}

/** Whether it is looked at every ten seconds rather than every minute. */
export function isHighResolution(settings: MetricAlarmSettings): boolean {
  return periodOf(settings) < 60;
}

/** What an evaluation found; without a state where the alarm stays as it is. */
export interface Evaluation {
  readonly state: NewState | undefined;
  /** Of an alarm that watches several series. */
  readonly byContributors?: ContributorsVerdict;
}

/**
 * Looks at an alarm's last whole periods. They end at the last whole minute (or ten seconds), wherever that lies in the
 * period: a five-minute alarm looks every minute at the five minutes before.
 */
export async function evaluateAlarm(
  deps: CloudWatchDeps,
  scope: Scope,
  { settings, state, contributors = [] }: MetricAlarmDocument,
  now: number,
): Promise<Evaluation> {
  const period = periodOf(settings) * SECOND;
  const end = floor(now, isHighResolution(settings) ? 10 * SECOND : MINUTE);
  const rule = ruleOf(settings);
  const count = evaluationRange(rule.evaluationPeriods);
  const times = Array.from({ length: count }, (_, index) => end - (index + 1) * period);
  const explicit = settings.DatapointsToAlarm !== undefined;
  if (hasContributors(settings)) {
    const series = await readQueried(deps, scope, settings.Metrics ?? [], times, end);
    const byContributors = judgeContributors(series, contributors, times, rule, explicit, now);
    return { state: byContributors.state, byContributors };
  }
  const range =
    settings.Metrics === undefined
      ? await readMetric(deps, scope, settings, times, period, now)
      : await readMath(deps, scope, settings.Metrics, times, end);
  if (range === undefined) return { state: undefined };
  const verdict = judge(range, rule);
  if (verdict.state === undefined) return { state: undefined };
  const basis = verdict.evaluated.find(({ value }) => value !== undefined)?.time;
  // Where the latest periods have no data, older ones count; but they have had their say before the state was taken.
  if (basis !== undefined && state.basis !== undefined && basis < state.basis) return { state: undefined };
  return {
    state: {
      value: verdict.state,
      basis,
      reason: reasonOf(verdict, verdict.state, rule, explicit),
      reasonData: reasonDataOf(verdict, rule, {
        now,
        period: period / SECOND,
        statistic: settings.Statistic ?? settings.ExtendedStatistic,
        unit: settings.Unit,
      }),
    },
  };
}

export function ruleOf(settings: MetricAlarmSettings): Rule {
  const evaluationPeriods = settings.EvaluationPeriods ?? 1;
  return {
    operator: settings.ComparisonOperator ?? "GreaterThanThreshold",
    threshold: settings.Threshold ?? 0,
    evaluationPeriods,
    datapointsToAlarm: settings.DatapointsToAlarm ?? evaluationPeriods,
    treatment: (settings.TreatMissingData ?? "missing") as Treatment,
  };
}

/** @returns undefined where a percentile rests on too few values to be evaluated */
async function readMetric(
  { reader }: CloudWatchDeps,
  scope: Scope,
  settings: MetricAlarmSettings,
  times: readonly number[],
  period: number,
  now: number,
): Promise<readonly AlarmPoint[] | undefined> {
  const metric = metricOf(settings.Namespace ?? "", settings.MetricName ?? "", settings.Dimensions);
  const statistic = parseStatistic(settings.Statistic ?? settings.ExtendedStatistic ?? "");
  if (statistic === undefined) return undefined;
  const from = times.at(-1) ?? 0;
  const span = { from, to: from + times.length * period, period };
  const units = settings.Unit === undefined ? reader.units(scope, metric) : [settings.Unit];
  for (const unit of units) {
    const bins = await reader.read(scope, metric, unit, span, now, isSimple(statistic));
    if (bins.size === 0) continue;
    const points = times.map((time) => {
      const summary = bins.get(time);
      return {
        time,
        value: summary === undefined ? undefined : evaluate(summary, statistic),
        sampleCount: summary?.count,
      };
    });
    const few = points.some(({ sampleCount }) => sampleCount !== undefined && tooFew(sampleCount, statistic));
    return few && settings.EvaluateLowSampleCountPercentile === "ignore" ? undefined : points;
  }
  return times.map((time) => ({ time, value: undefined }));
}

/** User guide, "Percentile-based alarms and low data samples". */
function tooFew(samples: number, statistic: Statistic): boolean {
  if (statistic.kind !== "percentile") return false;
  const share = statistic.percent / 100;
  return samples < (share >= 0.5 ? 10 / (1 - share) : 10 / share);
}

async function readMath(
  deps: CloudWatchDeps,
  scope: Scope,
  metrics: readonly client.MetricDataQuery[],
  times: readonly number[],
  end: number,
): Promise<readonly AlarmPoint[]> {
  const [series] = await readQueried(deps, scope, metrics, times, end);
  return times.map((time) => ({ time, value: series?.points.get(time) }));
}

function readQueried(
  deps: CloudWatchDeps,
  scope: Scope,
  metrics: readonly client.MetricDataQuery[],
  times: readonly number[],
  end: number,
): Promise<readonly TimeSeries[]> {
  return runQueries(deps, scope, readQueries(metrics, "Metrics"), { start: times.at(-1) ?? 0, end }, 0);
}
