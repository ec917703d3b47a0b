import type * as client from "@aws-sdk/client-cloudwatch";
import type { Scope } from "../data/metric.ts";
import type { Contributor } from "./contributors.ts";
import { javaDate, JavaDouble, javaJson } from "./java.ts";
import {
  alarmArn,
  type AlarmDocument,
  type AlarmState,
  type CompositeAlarmDocument,
  type MetricAlarmDocument,
  type MetricAlarmSettings,
} from "./records.ts";
import { regionName } from "./regions.ts";

export interface Change {
  readonly scope: Scope;
  readonly alarm: AlarmDocument;
  /** The series that changed, where it was not the alarm. */
  readonly contributor?: Contributor | undefined;
  readonly from: AlarmState;
  readonly to: AlarmState;
}

/** `ALARM: "name" in US East (N. Virginia)`, the subject of a notification; of at most 100 characters. */
export function subjectOf({ scope, alarm, to }: Change): string {
  const state = to.value === "INSUFFICIENT_DATA" ? "INSUFFICIENT" : to.value;
  const place = `" in ${regionName(scope.region)}`;
  const room = 100 - state.length - place.length - 3;
  const name = alarm.name.length > room ? `${alarm.name.slice(0, room - 3)}...` : alarm.name;
  return `${state}: "${name}${place}`;
}

/** The message that topics get (recorded): JSON, with doubles as Java writes them. */
export function notificationOf({ scope, alarm, contributor, from, to }: Change): string {
  const { settings } = alarm;
  const common = {
    AlarmName: alarm.name,
    AlarmDescription: settings.AlarmDescription ?? null,
    AWSAccountId: scope.account,
    AlarmConfigurationUpdatedTimestamp: javaDate(alarm.configuredAt),
    NewStateValue: to.value,
    NewStateReason: to.reason,
    StateChangeTime: javaDate(to.transitionedAt),
    Region: regionName(scope.region),
    AlarmArn: alarmArn(scope, alarm.name),
    AlarmContributorId: contributor?.id,
    AlarmContributorAttributes: contributor?.attributes,
    OldStateValue: from.value,
    ActionExecutedAfterMuteWindow: false,
    OKActions: settings.OKActions ?? [],
    AlarmActions: settings.AlarmActions ?? [],
    InsufficientDataActions: settings.InsufficientDataActions ?? [],
  };
  return javaJson({
    ...common,
    ...(alarm.type === "metric" ? { Trigger: triggerOf(alarm.settings) } : compositeParts(alarm, to)),
  });
}

const STATISTICS: Readonly<Record<client.Statistic, string>> = {
  SampleCount: "SAMPLE_COUNT",
  Average: "AVERAGE",
  Sum: "SUM",
  Minimum: "MINIMUM",
  Maximum: "MAXIMUM",
};

function triggerOf(settings: MetricAlarmSettings) {
  const rule = {
    EvaluationPeriods: settings.EvaluationPeriods,
    DatapointsToAlarm: settings.DatapointsToAlarm,
    ComparisonOperator: settings.ComparisonOperator,
    Threshold: settings.Threshold === undefined ? undefined : new JavaDouble(settings.Threshold),
    TreatMissingData: settings.TreatMissingData ?? "",
    EvaluateLowSampleCountPercentile: settings.EvaluateLowSampleCountPercentile ?? "",
  };
  if (settings.Metrics !== undefined) {
    const Period = Math.max(
      ...settings.Metrics.map((query) => query.MetricStat?.Period ?? query.Period ?? 0),
    );
    return { Period, ...rule, Metrics: settings.Metrics.map(queryPart) };
  }
  const { Statistic } = settings;
  return {
    MetricName: settings.MetricName,
    Namespace: settings.Namespace,
    ...(Statistic === undefined
      ? { StatisticType: "ExtendedStatistic", ExtendedStatistic: settings.ExtendedStatistic }
      : { StatisticType: "Statistic", Statistic: STATISTICS[Statistic] }),
    Unit: settings.Unit ?? null,
    Dimensions: dimensionsOf(settings.Dimensions),
    Period: settings.Period,
    ...rule,
  };
}

function dimensionsOf(dimensions: readonly client.Dimension[] = []) {
  return dimensions.map(({ Name, Value }) => ({ value: Value, name: Name }));
}

function queryPart({ Id, Label, Expression, MetricStat, ReturnData = true }: client.MetricDataQuery) {
  return {
    ...(Expression === undefined ? {} : { Expression }),
    Id,
    Label,
    ...(MetricStat === undefined
      ? {}
      : {
          MetricStat: {
            Metric: {
              Dimensions: dimensionsOf(MetricStat.Metric?.Dimensions),
              MetricName: MetricStat.Metric?.MetricName,
              Namespace: MetricStat.Metric?.Namespace,
            },
            Period: MetricStat.Period,
            Stat: MetricStat.Stat,
            Unit: MetricStat.Unit,
          },
        }),
    ReturnData,
  };
}

function compositeParts({ settings }: CompositeAlarmDocument, { reasonData }: AlarmState) {
  const data = reasonData === undefined ? undefined : (JSON.parse(reasonData) as CompositeReasonData);
  return {
    AlarmRule: settings.AlarmRule,
    TriggeringChildren: (data?.triggeringAlarms ?? []).map(({ arn, state }) => ({
      Arn: arn,
      State: { Value: state.value, Timestamp: state.timestamp },
    })),
  };
}

/** A composite alarm's StateReasonData. */
export interface CompositeReasonData {
  readonly triggeringAlarms: readonly {
    readonly arn: string;
    readonly state: { readonly value: client.StateValue; readonly timestamp: string };
  }[];
}

/** The event that functions get (recorded). @param id of the metric, where the alarm has just one */
export function lambdaEventOf({ scope, alarm, contributor, from, to }: Change, id: string): string {
  return javaJson({
    source: "aws.cloudwatch",
    alarmArn: alarmArn(scope, alarm.name),
    accountId: scope.account,
    time: javaDate(to.transitionedAt),
    region: scope.region,
    alarmData: {
      alarmName: alarm.name,
      alarmContributor: contributor,
      state: statePart(to),
      previousState: statePart(from),
      configuration: alarm.type === "metric" ? metricConfiguration(alarm, id) : compositeConfiguration(alarm),
    },
  });
}

function statePart({ value, reason, reasonData, transitionedAt }: AlarmState) {
  return { value, reason, reasonData, timestamp: javaDate(transitionedAt) };
}

function metricConfiguration({ settings }: MetricAlarmDocument, id: string) {
  const single = {
    Id: id,
    MetricStat: {
      Metric: {
        Namespace: settings.Namespace,
        MetricName: settings.MetricName,
        Dimensions: settings.Dimensions,
      },
      Period: settings.Period,
      Stat: settings.Statistic ?? settings.ExtendedStatistic,
      Unit: settings.Unit,
    },
    ReturnData: true,
  };
  return {
    description: settings.AlarmDescription,
    metrics: (settings.Metrics ?? [single as client.MetricDataQuery]).map(
      ({ Id, Label, Expression, MetricStat, ReturnData = true }) => ({
        id: Id,
        label: Label,
        expression: Expression,
        metricStat:
          MetricStat === undefined
            ? undefined
            : {
                metric: {
                  namespace: MetricStat.Metric?.Namespace,
                  name: MetricStat.Metric?.MetricName,
                  dimensions: Object.fromEntries(
                    (MetricStat.Metric?.Dimensions ?? []).map(({ Name, Value }) => [Name, Value]),
                  ),
                },
                period: MetricStat.Period,
                stat: MetricStat.Stat,
                unit: MetricStat.Unit,
              },
        returnData: ReturnData,
      }),
    ),
  };
}

function compositeConfiguration({ settings }: CompositeAlarmDocument) {
  return {
    description: settings.AlarmDescription,
    alarmRule: settings.AlarmRule,
    actionsSuppressor: settings.ActionsSuppressor,
    actionsSuppressorWaitPeriod: settings.ActionsSuppressorWaitPeriod,
    actionsSuppressorExtensionPeriod: settings.ActionsSuppressorExtensionPeriod,
  };
}
