import type * as client from "@aws-sdk/client-cloudwatch";
import type { Scope } from "../data/metric.ts";
import {
  alarmArn,
  type AlarmDocument,
  type CompositeAlarmDocument,
  type MetricAlarmDocument,
} from "./records.ts";

/** A metric alarm as DescribeAlarms shows it (recorded): lists are there even where they are empty. */
export function metricAlarmShape(scope: Scope, alarm: MetricAlarmDocument): client.MetricAlarm {
  const { settings } = alarm;
  const { OKActions, AlarmActions, InsufficientDataActions, Dimensions, ...rest } = settings;
  return {
    ...common(scope, alarm),
    ...rest,
    OKActions: OKActions ?? [],
    AlarmActions: AlarmActions ?? [],
    InsufficientDataActions: InsufficientDataActions ?? [],
    Dimensions: Dimensions ?? [],
  };
}

export function compositeAlarmShape(scope: Scope, alarm: CompositeAlarmDocument): client.CompositeAlarm {
  const { settings, suppression } = alarm;
  const { OKActions, AlarmActions, InsufficientDataActions, ...rest } = settings;
  return {
    ...common(scope, alarm),
    ...rest,
    OKActions: OKActions ?? [],
    AlarmActions: AlarmActions ?? [],
    InsufficientDataActions: InsufficientDataActions ?? [],
    ...(suppression === undefined
      ? {}
      : { ActionsSuppressedBy: suppression.by, ActionsSuppressedReason: suppression.reason }),
  };
}

function common(scope: Scope, { name, actionsEnabled, configuredAt, state }: AlarmDocument) {
  return {
    AlarmName: name,
    AlarmArn: alarmArn(scope, name),
    AlarmConfigurationUpdatedTimestamp: new Date(configuredAt),
    ActionsEnabled: actionsEnabled,
    StateValue: state.value,
    StateReason: state.reason,
    ...(state.reasonData === undefined ? {} : { StateReasonData: state.reasonData }),
    StateUpdatedTimestamp: new Date(state.updatedAt),
    StateTransitionedTimestamp: new Date(state.transitionedAt),
  };
}
