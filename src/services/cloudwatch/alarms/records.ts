import type * as client from "@aws-sdk/client-cloudwatch";
import { formatArn, parseArn } from "#core/arn";
import type { DocumentKey, Documents } from "#storage/documents";
import type { Scope } from "../data/metric.ts";

export interface AlarmState {
  readonly value: client.StateValue;
  readonly reason: string;
  /** JSON, where the state is of an evaluation. */
  readonly reasonData?: string;
  /** The start (epoch ms) of the latest period with data that it rests on, where it is of an evaluation. */
  readonly basis?: number;
  /** Epoch milliseconds. */
  readonly updatedAt: number;
  readonly transitionedAt: number;
}

/** What an alarm's state is to be. */
export interface NewState {
  readonly value: client.StateValue;
  readonly reason: string;
  readonly reasonData?: string | undefined;
  readonly basis?: number | undefined;
}

interface AlarmBase {
  readonly name: string;
  readonly actionsEnabled: boolean;
  /** Epoch milliseconds of the last change of its configuration. */
  readonly configuredAt: number;
  readonly state: AlarmState;
}

/** What PutMetricAlarm sets, as it came. */
export type MetricAlarmSettings = Omit<client.PutMetricAlarmInput, "AlarmName" | "ActionsEnabled" | "Tags">;

export interface MetricAlarmDocument extends AlarmBase {
  readonly type: "metric";
  readonly settings: MetricAlarmSettings;
  /** Of an alarm whose query comes to several series: those that are in ALARM, or were while they have been there. */
  readonly contributors?: readonly ContributorState[];
}

/** The state of one of an alarm's series. */
export interface ContributorState {
  readonly value: "ALARM" | "OK";
  readonly id: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly reason: string;
  /** Epoch milliseconds. */
  readonly transitionedAt: number;
  /** As of alarms. */
  readonly basis?: number | undefined;
}

export type CompositeAlarmSettings = Omit<
  client.PutCompositeAlarmInput,
  "AlarmName" | "ActionsEnabled" | "Tags"
>;

/** Why a composite alarm's actions are held back, and since when (epoch ms). */
export interface Suppression {
  readonly by: client.ActionsSuppressedBy;
  readonly reason: string;
  readonly since: number;
  /** The state before the change whose actions wait. */
  readonly from: AlarmState;
}

export interface CompositeAlarmDocument extends AlarmBase {
  readonly type: "composite";
  readonly settings: CompositeAlarmSettings;
  readonly suppression?: Suppression;
}

export type AlarmDocument = MetricAlarmDocument | CompositeAlarmDocument;

/** Composite alarms are kept apart, so that they can be gone through whenever another alarm changes. */
const KINDS = { metric: "alarm", composite: "composite-alarm" } as const;

export function alarmsPrefix({ account, region }: Scope, type: AlarmDocument["type"]) {
  return [account, region, KINDS[type]] as const;
}

export function alarmKey(scope: Scope, type: AlarmDocument["type"], name: string): DocumentKey {
  return [...alarmsPrefix(scope, type), name];
}

/** An alarm of either type: they share their names. */
export function findAlarm(documents: Documents, scope: Scope, name: string): AlarmDocument | undefined {
  return (
    documents.get<AlarmDocument>(alarmKey(scope, "metric", name)) ??
    documents.get<AlarmDocument>(alarmKey(scope, "composite", name))
  )?.value;
}

/** All of a scope at once: their rules may be about any other alarm. */
export function compositeAlarms(documents: Documents, scope: Scope): readonly CompositeAlarmDocument[] {
  return Array.from(
    documents.list<CompositeAlarmDocument>(alarmsPrefix(scope, "composite")),
    ({ value }) => value,
  );
}

export function alarmArn({ account, region }: Scope, name: string): string {
  return formatArn("cloudwatch", region, account, `alarm:${name}`);
}

/** The name in an alarm's ARN; `text` itself where it is no ARN. */
export function alarmName(text: string): string {
  const arn = parseArn(text);
  return arn?.service === "cloudwatch" && arn.resource.startsWith("alarm:")
    ? arn.resource.slice("alarm:".length)
    : text;
}

/** The actions that a state asks for. */
export function actionsOf(
  { settings }: Pick<AlarmDocument, "settings">,
  state: client.StateValue,
): readonly string[] {
  if (state === "ALARM") return settings.AlarmActions ?? [];
  return (state === "OK" ? settings.OKActions : settings.InsufficientDataActions) ?? [];
}
