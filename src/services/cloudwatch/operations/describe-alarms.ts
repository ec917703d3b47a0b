import type * as client from "@aws-sdk/client-cloudwatch";
import type { Document, DocumentKey } from "#storage/documents";
import type { Handler, InputOf, OperationsOf } from "#wire/operation";
import type { Alarms } from "../alarms/alarms.ts";
import {
  actionsOf,
  type AlarmDocument,
  alarmKey,
  alarmName,
  alarmsPrefix,
  compositeAlarms,
  findAlarm,
  type MetricAlarmDocument,
} from "../alarms/records.ts";
import { alarmsOf, parseRule } from "../alarms/rule.ts";
import { compositeAlarmShape, metricAlarmShape } from "../alarms/shape.ts";
import type { Scope } from "../data/metric.ts";
import { metricOf } from "../data/metric.ts";
import type { CloudWatchDeps } from "../deps.ts";
import { cloudwatchErrors } from "../errors.ts";
import { readToken, writeToken } from "../tokens.ts";

type CloudWatch = typeof client;

const DEFAULT_PAGE = 50;
const CONTRIBUTORS_PAGE = 100;

export function describeAlarmOperations({ documents }: CloudWatchDeps, alarms: Alarms) {
  /** Alarms of a type in the order of their names, after `after`. */
  function* list(
    scope: Scope,
    type: AlarmDocument["type"],
    namePrefix: string,
    after: string | undefined,
  ): Generator<AlarmDocument> {
    const start = after ?? namePrefix;
    const exact =
      after === undefined && namePrefix !== ""
        ? documents.get<AlarmDocument>(alarmKey(scope, type, namePrefix))
        : undefined;
    if (exact !== undefined) yield exact.value;
    const options = start === "" ? {} : { after: alarmKey(scope, type, start) satisfies DocumentKey };
    for (const { value } of documents.list<AlarmDocument>(alarmsPrefix(scope, type), options)) {
      if (!value.name.startsWith(namePrefix)) return;
      yield value;
    }
  }

  const DescribeAlarms: Handler<CloudWatch, "DescribeAlarms"> = (input, call) => {
    const scope = { account: call.account, region: call.region };
    const { AlarmNames, AlarmNamePrefix = "", MaxRecords = DEFAULT_PAGE } = input;
    if (AlarmNames !== undefined && AlarmNamePrefix !== "")
      throw cloudwatchErrors.validation("AlarmNames and AlarmNamePrefix are mutually exclusive.");
    // API reference: without AlarmTypes only metric alarms are told of, unless names or relations are asked for.
    const related = relatives(scope, input);
    const types = (
      input.AlarmTypes ?? (related === undefined ? ["MetricAlarm"] : ["MetricAlarm", "CompositeAlarm"])
    )
      .filter((type) => type !== "LogAlarm")
      .map((type) => (type === "CompositeAlarm" ? ("composite" as const) : ("metric" as const)))
      .toSorted();
    const [startType, startName] =
      input.NextToken === undefined ? [] : readToken(input.NextToken, ["string", "string"]);
    const found: AlarmDocument[] = [];
    let more = false;
    const names = AlarmNames ?? related;
    search: for (const type of types) {
      if (startType !== undefined && type < startType) continue;
      const after = type === startType ? startName : undefined;
      const candidates =
        names === undefined
          ? list(scope, type, AlarmNamePrefix, after)
          : named(scope, type, names).filter(({ name }) => after === undefined || name > after);
      for (const alarm of candidates) {
        if (!matches(alarm, input)) continue;
        if (found.length === MaxRecords) {
          more = true;
          break search;
        }
        found.push(alarm);
      }
    }
    const last = found.at(-1);
    return {
      ...shapes(scope, found),
      ...(more && last !== undefined ? { NextToken: writeToken([last.type, last.name]) } : {}),
    };
  };

  function named(scope: Scope, type: AlarmDocument["type"], names: Iterable<string>): AlarmDocument[] {
    return [...new Set(names)]
      .toSorted()
      .flatMap((name) => documents.get<AlarmDocument>(alarmKey(scope, type, name))?.value ?? []);
  }

  /** The alarms that another one's rule looks at, or those whose rules look at it; undefined where neither is asked for. */
  function relatives(
    scope: Scope,
    input: InputOf<CloudWatch, "DescribeAlarms">,
  ): readonly string[] | undefined {
    const { ChildrenOfAlarmName: parent, ParentsOfAlarmName: child } = input;
    if (parent !== undefined) {
      const alarm = findAlarm(documents, scope, alarmName(parent));
      return alarm?.type === "composite" ? [...alarmsOf(parseRule(alarm.settings.AlarmRule ?? ""))] : [];
    }
    if (child === undefined) return undefined;
    const name = alarmName(child);
    return compositeAlarms(documents, scope).flatMap((alarm) =>
      alarmsOf(parseRule(alarm.settings.AlarmRule ?? "")).has(name) ? [alarm.name] : [],
    );
  }

  const DescribeAlarmsForMetric: Handler<CloudWatch, "DescribeAlarmsForMetric"> = (input, call) => {
    const scope = { account: call.account, region: call.region };
    const wanted = JSON.stringify(metricOf(input.Namespace ?? "", input.MetricName ?? "", input.Dimensions));
    const found = Array.from(
      documents.list<MetricAlarmDocument>(alarmsPrefix(scope, "metric")),
      ({ value }: Document<MetricAlarmDocument>) => value,
    ).filter(({ settings }) => {
      const { Namespace = "", MetricName = "", Dimensions } = settings;
      return (
        JSON.stringify(metricOf(Namespace, MetricName, Dimensions)) === wanted &&
        (input.Period === undefined || input.Period === settings.Period) &&
        (input.Statistic === undefined || input.Statistic === settings.Statistic) &&
        (input.ExtendedStatistic === undefined || input.ExtendedStatistic === settings.ExtendedStatistic) &&
        (input.Unit === undefined || input.Unit === settings.Unit)
      );
    });
    return { MetricAlarms: found.map((alarm) => metricAlarmShape(scope, alarm)) };
  };

  const DescribeAlarmContributors: Handler<CloudWatch, "DescribeAlarmContributors"> = (input, call) => {
    const { AlarmName = "", NextToken } = input;
    const alarm = findAlarm(documents, call, AlarmName);
    if (alarm === undefined) throw cloudwatchErrors.resourceMissing(`Alarm ${AlarmName} does not exist`);
    const all = alarm.type === "metric" ? (alarm.contributors ?? []) : [];
    const [after = ""] = NextToken === undefined ? [] : readToken(NextToken, ["string"]);
    const rest = all
      .filter(({ id, value }) => value === "ALARM" && id > after)
      .toSorted((a, b) => (a.id < b.id ? -1 : 1));
    const page = rest.slice(0, CONTRIBUTORS_PAGE);
    const last = page.at(-1);
    return {
      AlarmContributors: page.map(({ id, attributes, reason, transitionedAt }) => ({
        ContributorId: id,
        ContributorAttributes: attributes,
        StateReason: reason,
        StateTransitionedTimestamp: new Date(transitionedAt),
      })),
      ...(last === undefined || rest.length === page.length ? {} : { NextToken: writeToken([last.id]) }),
    };
  };

  const DescribeAlarmHistory: Handler<CloudWatch, "DescribeAlarmHistory"> = async (input, call) => {
    const types = input.AlarmTypes ?? ["MetricAlarm"];
    const { items, next } = await alarms.history.read(call, {
      from: input.StartDate?.getTime() ?? 0,
      to: (input.EndDate?.getTime() ?? Number.MAX_SAFE_INTEGER - 1) + 1,
      descending: input.ScanBy !== "TimestampAscending",
      after: input.NextToken === undefined ? undefined : readToken(input.NextToken, ["number"])[0],
      limit: input.MaxRecords ?? 100,
      wanted: ({ name, alarmType, type, contributor }) =>
        (input.AlarmName === undefined ? types.includes(alarmType) : name === input.AlarmName) &&
        (input.HistoryItemType === undefined || type === input.HistoryItemType) &&
        (input.AlarmContributorId === undefined || contributor?.id === input.AlarmContributorId),
    });
    return {
      AlarmHistoryItems: items.map(({ name, alarmType, type, contributor, summary, data, time }) => ({
        AlarmName: name,
        ...(contributor === undefined
          ? {}
          : { AlarmContributorId: contributor.id, AlarmContributorAttributes: contributor.attributes }),
        AlarmType: alarmType,
        HistoryItemType: type,
        HistorySummary: summary,
        HistoryData: data,
        Timestamp: new Date(time),
      })),
      ...(next === undefined ? {} : { NextToken: writeToken([next]) }),
    };
  };

  return {
    DescribeAlarms,
    DescribeAlarmsForMetric,
    DescribeAlarmContributors,
    DescribeAlarmHistory,
  } satisfies OperationsOf<CloudWatch>;
}

function matches(alarm: AlarmDocument, { StateValue, ActionPrefix }: InputOf<CloudWatch, "DescribeAlarms">) {
  if (StateValue !== undefined && alarm.state.value !== StateValue) return false;
  if (ActionPrefix === undefined) return true;
  return (["ALARM", "OK", "INSUFFICIENT_DATA"] as const)
    .flatMap((state) => actionsOf(alarm, state))
    .some((action) => action.startsWith(ActionPrefix));
}

function shapes(scope: Scope, alarms: readonly AlarmDocument[]) {
  return {
    CompositeAlarms: alarms.flatMap((alarm) =>
      alarm.type === "composite" ? [compositeAlarmShape(scope, alarm)] : [],
    ),
    MetricAlarms: alarms.flatMap((alarm) =>
      alarm.type === "metric" ? [metricAlarmShape(scope, alarm)] : [],
    ),
  };
}
