import { parseArn } from "#core/arn";
import type { Scope } from "../data/metric.ts";
import { cloudwatchErrors } from "../errors.ts";
import { parseExpression } from "../math/parse.ts";
import { searchesOf } from "../math/searches.ts";
import { isSelect, parseSelect } from "../math/select.ts";
import { isStat, readQueries } from "../query/request.ts";
import { parseStatistic } from "../statistics/statistic.ts";
import { checkExpressions } from "../query/run.ts";
import { periodOf } from "./evaluate.ts";
import type { CompositeAlarmSettings, MetricAlarmSettings } from "./records.ts";
import { AlarmRuleError, alarmsOf, parseRule } from "./rule.ts";

const TREATMENTS = ["breaching", "notBreaching", "ignore", "missing"];
const OPERATORS_OF_BANDS = new Set([
  "LessThanLowerOrGreaterThanUpperThreshold",
  "LessThanLowerThreshold",
  "GreaterThanUpperThreshold",
]);

const DAY_SECONDS = 86_400;

/** @param scope of the alarm @throws AwsError for what PutMetricAlarm does not take */
export function checkMetricAlarm(settings: MetricAlarmSettings, scope: Scope): void {
  const { EvaluationPeriods, DatapointsToAlarm, TreatMissingData, ComparisonOperator } = settings;
  if (settings.ThresholdMetricId !== undefined || OPERATORS_OF_BANDS.has(ComparisonOperator ?? ""))
    throw cloudwatchErrors.validation(
      "Alarms on anomaly detection bands are not supported here: set Threshold and one of the operators " +
        "GreaterThanOrEqualToThreshold, GreaterThanThreshold, LessThanThreshold, LessThanOrEqualToThreshold.",
    );
  if (settings.EvaluationCriteria !== undefined)
    throw cloudwatchErrors.validation("Alarms with EvaluationCriteria are not supported here.");
  if (ComparisonOperator === undefined) throw cloudwatchErrors.required("ComparisonOperator");
  if (settings.Threshold === undefined) throw cloudwatchErrors.required("Threshold");
  if (EvaluationPeriods === undefined) throw cloudwatchErrors.required("EvaluationPeriods");
  if (settings.Metrics === undefined) checkSingle(settings);
  else checkMath(settings);
  if (DatapointsToAlarm !== undefined && DatapointsToAlarm > EvaluationPeriods)
    throw cloudwatchErrors.validation("DatapointsToAlarm must be less than or equal to EvaluationPeriods.");
  const period = periodOf(settings);
  const span = period * EvaluationPeriods;
  if (period < 3600 ? span > DAY_SECONDS : span > 7 * DAY_SECONDS)
    throw cloudwatchErrors.validation(
      period < 3600
        ? "Metrics cannot be checked across more than a day (EvaluationPeriods * Period must be <= 86400)."
        : "Metrics cannot be checked across more than a week (EvaluationPeriods * Period must be <= 604800).",
    );
  if (TreatMissingData !== undefined && !TREATMENTS.includes(TreatMissingData))
    throw cloudwatchErrors.validation(
      `The value ${TreatMissingData} is not supported for TreatMissingData parameter. Supported values are [${TREATMENTS.join(", ")}].`,
    );
  const low = settings.EvaluateLowSampleCountPercentile;
  if (low !== undefined && low !== "evaluate" && low !== "ignore")
    throw cloudwatchErrors.validation(
      `Option ${low} is not supported. Supported options for parameter EvaluateLowSampleCountPercentile are evaluate and ignore.`,
    );
  checkActions(settings, scope);
}

/**
 * @param scope of the alarm @param exists whether there is an alarm of a name
 * @throws AwsError for what PutCompositeAlarm does not take
 */
export function checkCompositeAlarm(
  settings: CompositeAlarmSettings,
  scope: Scope,
  exists: (alarm: string) => boolean,
): void {
  try {
    const missing = [...alarmsOf(parseRule(settings.AlarmRule ?? ""))].filter((alarm) => !exists(alarm));
    if (missing.length > 0)
      throw cloudwatchErrors.validation(
        `Could not save the composite alarm as alarms [${missing.join(", ")}] in the alarm rule do not exist`,
      );
  } catch (error) {
    if (!(error instanceof AlarmRuleError)) throw error;
    throw cloudwatchErrors.validation(`Error in AlarmRule [${error.message}]`);
  }
  const { ActionsSuppressor, ActionsSuppressorWaitPeriod, ActionsSuppressorExtensionPeriod } = settings;
  const periods = [ActionsSuppressorWaitPeriod, ActionsSuppressorExtensionPeriod];
  if (ActionsSuppressor === undefined && periods.some((period) => period !== undefined))
    throw cloudwatchErrors.validation(
      "ActionsSuppressorWaitPeriod and ActionsSuppressorExtensionPeriod need an ActionsSuppressor.",
    );
  if (ActionsSuppressor !== undefined && periods.includes(undefined))
    throw cloudwatchErrors.validation(
      "ActionsSuppressorWaitPeriod and ActionsSuppressorExtensionPeriod must be specified with an ActionsSuppressor.",
    );
  checkActions(settings, scope);
}

function checkSingle(settings: MetricAlarmSettings): void {
  const { MetricName, Namespace, Period, Statistic, ExtendedStatistic } = settings;
  if (MetricName === undefined)
    throw cloudwatchErrors.validation("Exactly one of MetricName, Metrics must be specified.");
  if (Namespace === undefined) throw cloudwatchErrors.required("Namespace");
  if (Period === undefined) throw cloudwatchErrors.required("Period");
  if (![10, 20, 30].includes(Period) && (Period < 60 || Period % 60 !== 0))
    throw cloudwatchErrors.validation("Period must be 10, 20, 30 or a multiple of 60.");
  if ((Statistic === undefined) === (ExtendedStatistic === undefined))
    throw cloudwatchErrors.validation("Exactly one of Statistic and ExtendedStatistic must be specified.");
  if (ExtendedStatistic !== undefined && parseStatistic(ExtendedStatistic) === undefined)
    throw cloudwatchErrors.validation(
      `The value ${ExtendedStatistic} for parameter ExtendedStatistic is not supported.`,
    );
}

function checkMath(settings: MetricAlarmSettings): void {
  const {
    Metrics = [],
    MetricName,
    Namespace,
    Period,
    Statistic,
    ExtendedStatistic,
    Dimensions,
    Unit,
  } = settings;
  const given = [MetricName, Namespace, Period, Statistic, ExtendedStatistic, Dimensions, Unit];
  if (given.some((parameter) => parameter !== undefined))
    throw cloudwatchErrors.validation(
      "Metrics cannot be specified with MetricName, Namespace, Dimensions, Period, Unit, Statistic or ExtendedStatistic.",
    );
  const queries = readQueries(Metrics, "Metrics");
  if (queries.filter(({ returned }) => returned).length !== 1)
    throw cloudwatchErrors.validation("Exactly one element of the metrics list should return data.");
  checkExpressions(queries);
  for (const { of } of queries)
    if (!isStat(of) && !isSelect(of.expression) && searchesOf(parseExpression(of.expression)).length > 0)
      throw cloudwatchErrors.validation("SEARCH is not supported on Metric Alarms.");
  for (const { of, returned } of queries)
    if (returned && !isStat(of) && isSelect(of.expression) && parseSelect(of.expression).groupBy.length > 0)
      if (parseSelect(of.expression).orderBy === undefined)
        throw cloudwatchErrors.validation("Metrics Insights queries with GROUP BY need ORDER BY in alarms.");
}

/** What an action is done to is where the alarm is. */
function checkActions(
  {
    OKActions = [],
    AlarmActions = [],
    InsufficientDataActions = [],
  }: Pick<MetricAlarmSettings, "OKActions" | "AlarmActions" | "InsufficientDataActions">,
  { region }: Scope,
): void {
  for (const action of [...OKActions, ...AlarmActions, ...InsufficientDataActions]) {
    const arn = parseArn(action);
    if (arn === undefined) throw cloudwatchErrors.validation(`Invalid arn syntax: ${action}`);
    if (arn.region !== "" && arn.region !== region)
      throw cloudwatchErrors.validation(
        `Invalid region ${arn.region} specified. Only ${region} is supported.`,
      );
  }
}
