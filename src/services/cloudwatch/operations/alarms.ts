import type * as client from "@aws-sdk/client-cloudwatch";
import type { Change, DocumentKey } from "#storage/documents";
import type { CallContext, Handler, InputOf, OperationsOf } from "#wire/operation";
import { revise } from "../../revise.ts";
import type { Alarms } from "../alarms/alarms.ts";
import { checkCompositeAlarm, checkMetricAlarm } from "../alarms/check.ts";
import {
  alarmArn,
  type AlarmDocument,
  alarmKey,
  type AlarmState,
  compositeAlarms,
  type CompositeAlarmDocument,
  findAlarm,
  type MetricAlarmDocument,
} from "../alarms/records.ts";
import { alarmsOf, parseRule } from "../alarms/rule.ts";
import type { Scope } from "../data/metric.ts";
import type { CloudWatchDeps } from "../deps.ts";
import { cloudwatchErrors } from "../errors.ts";
import { initialTags, tagsKey } from "../tags.ts";

type CloudWatch = typeof client;

export function alarmOperations({ documents, store, clock }: CloudWatchDeps, alarms: Alarms) {
  /** Sets up an alarm, or changes all of its settings; its state stays as it is then, and so do its tags. */
  async function put<Document extends AlarmDocument>(
    scope: Scope,
    alarm: Pick<Document, "type" | "name" | "settings" | "actionsEnabled">,
    tags: readonly client.Tag[] | undefined,
  ): Promise<void> {
    const { type, name } = alarm;
    if (!name.isWellFormed()) throw cloudwatchErrors.invalid("AlarmName", name.toWellFormed());
    const other = type === "metric" ? "composite" : "metric";
    if (documents.get(alarmKey(scope, other, name)) !== undefined)
      throw cloudwatchErrors.validation(
        `An alarm of another type with the name ${name} already exists: alarm types cannot be changed.`,
      );
    const now = clock.now();
    const arn = alarmArn(scope, name);
    const key = alarmKey(scope, type, name);
    let existed = false;
    await store.scopes.note(scope);
    await revise<Document>(documents, key, (current): readonly Change[] => {
      existed = current !== undefined;
      const state = current?.value.state ?? unchecked(now);
      const value = { ...alarm, ...kept(current?.value, alarm), configuredAt: now, state };
      return current === undefined ? [{ key, value }, ...initialTags(scope, arn, tags)] : [{ key, value }];
    });
    await alarms.history.append(scope, now, [
      configurationItem(
        alarm,
        existed ? "Update" : "Create",
        `Alarm "${name}" ${existed ? "updated" : "created"}`,
      ),
    ]);
  }

  const PutMetricAlarm: Handler<CloudWatch, "PutMetricAlarm"> = async (input, call) => {
    const { AlarmName: name = "", ActionsEnabled: actionsEnabled = true, Tags, ...settings } = input;
    const scope = scopeOf(call);
    checkMetricAlarm(settings, scope);
    await put<MetricAlarmDocument>(scope, { type: "metric", name, actionsEnabled, settings }, Tags);
    return {};
  };

  const PutCompositeAlarm: Handler<CloudWatch, "PutCompositeAlarm"> = async (input, call) => {
    const { AlarmName: name = "", ActionsEnabled: actionsEnabled = true, Tags, ...settings } = input;
    const scope = scopeOf(call);
    checkCompositeAlarm(settings, scope, (other) => findAlarm(documents, scope, other) !== undefined);
    await put<CompositeAlarmDocument>(scope, { type: "composite", name, actionsEnabled, settings }, Tags);
    await alarms.evaluateComposites(scope);
    return {};
  };

  const DeleteAlarms: Handler<CloudWatch, "DeleteAlarms"> = async ({ AlarmNames = [] }, call) => {
    const scope = scopeOf(call);
    const found = [...new Set(AlarmNames)].map((name) => findAlarm(documents, scope, name));
    // One name that there is not is no error; of several, AWS deletes all or none.
    if (found.length > 1 && found.includes(undefined)) throw cloudwatchErrors.noAlarm();
    const gone = found.filter((alarm) => alarm !== undefined);
    requireUnused(scope, gone);
    const changes = gone.flatMap(({ type, name }): readonly Change[] => [
      { key: alarmKey(scope, type, name), delete: true },
      { key: tagsKey(scope, alarmArn(scope, name)), delete: true },
    ]);
    if (changes.length === 0) return {};
    await documents.commit(changes);
    await alarms.history.append(
      scope,
      clock.now(),
      gone.map((alarm) => configurationItem(alarm, "Delete", `Alarm "${alarm.name}" deleted`)),
    );
    await alarms.evaluateComposites(scope);
    return {};
  };

  /** @throws AwsError where an alarm that stays looks at one that is to go */
  function requireUnused(scope: Scope, gone: readonly AlarmDocument[]): void {
    if (gone.filter(({ type }) => type === "composite").length > 1)
      throw cloudwatchErrors.validation("At most one composite alarm can be deleted at once.");
    const going = new Set(gone.map(({ name }) => name));
    const others = compositeAlarms(documents, scope).filter(({ name }) => !going.has(name));
    const looked = new Set(
      others.flatMap(({ settings }) => [...alarmsOf(parseRule(settings.AlarmRule ?? ""))]),
    );
    const used = [...going].filter((name) => looked.has(name));
    if (used.length > 0)
      throw cloudwatchErrors.validation(
        `Cannot delete ${used.join(",")} as there are composite alarm(s) depending on ${used.length === 1 ? "it" : "them"}.`,
      );
  }

  const SetAlarmState: Handler<CloudWatch, "SetAlarmState"> = async (input, call) => {
    const scope = scopeOf(call);
    const alarm = findAlarm(documents, scope, input.AlarmName ?? "");
    if (alarm === undefined) throw cloudwatchErrors.noAlarm();
    await alarms.setState(scope, alarm, {
      value: input.StateValue ?? "OK",
      reason: input.StateReason ?? "",
      reasonData: input.StateReasonData,
    });
    return {};
  };

  async function enable(call: CallContext, names: readonly string[] = [], actionsEnabled: boolean) {
    const scope = scopeOf(call);
    for (const name of names) {
      const alarm = findAlarm(documents, scope, name);
      if (alarm === undefined) continue;
      const key: DocumentKey = alarmKey(scope, alarm.type, name);
      await revise<AlarmDocument>(documents, key, (current) =>
        current === undefined ? [] : [{ key, value: { ...current.value, actionsEnabled } }],
      );
    }
    return {};
  }

  const EnableAlarmActions: Handler<CloudWatch, "EnableAlarmActions"> = (
    input: InputOf<CloudWatch, "EnableAlarmActions">,
    call,
  ) => enable(call, input.AlarmNames, true);

  const DisableAlarmActions: Handler<CloudWatch, "DisableAlarmActions"> = (
    input: InputOf<CloudWatch, "DisableAlarmActions">,
    call,
  ) => enable(call, input.AlarmNames, false);

  return {
    PutMetricAlarm,
    PutCompositeAlarm,
    DeleteAlarms,
    SetAlarmState,
    EnableAlarmActions,
    DisableAlarmActions,
  } satisfies OperationsOf<CloudWatch>;
}

/** Series stay in ALARM while it is the same query that they are of. */
function kept(
  before: AlarmDocument | undefined,
  { type, settings }: Pick<AlarmDocument, "type" | "settings">,
): Pick<MetricAlarmDocument, "contributors"> {
  if (before?.type !== "metric" || type !== "metric" || before.contributors === undefined) return {};
  const { Metrics } = settings as MetricAlarmDocument["settings"];
  const same = JSON.stringify(before.settings.Metrics) === JSON.stringify(Metrics);
  return same ? { contributors: before.contributors } : {};
}

/** The state of an alarm that was never looked at (recorded). */
function unchecked(now: number): AlarmState {
  const reason = "Unchecked: Initial alarm creation";
  return { value: "INSUFFICIENT_DATA", reason, updatedAt: now, transitionedAt: now };
}

function configurationItem(
  { name, type, settings }: Pick<AlarmDocument, "name" | "type" | "settings">,
  change: "Create" | "Update" | "Delete",
  summary: string,
) {
  const member = `${change.toLowerCase()}${change.endsWith("e") ? "d" : "ed"}Alarm`;
  return {
    name,
    alarmType: type === "metric" ? ("MetricAlarm" as const) : ("CompositeAlarm" as const),
    type: "ConfigurationUpdate" as const,
    summary: summary.slice(0, 255),
    data: JSON.stringify({ version: "1.0", type: change, [member]: { alarmName: name, ...settings } }),
  };
}

function scopeOf({ account, region }: CallContext): Scope {
  return { account, region };
}
