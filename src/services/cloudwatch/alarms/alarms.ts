import type * as client from "@aws-sdk/client-cloudwatch";
import { revise } from "../../revise.ts";
import type { CloudWatchDeps } from "../deps.ts";
import type { Scope } from "../data/metric.ts";
import { runActions } from "./actions.ts";
import type { ContributorsVerdict } from "./contributors.ts";
import { judgeComposite } from "./composite.ts";
import { AlarmHistory, type HistoryItem } from "./history.ts";
import { javaJson } from "./java.ts";
import type { Change } from "./messages.ts";
import {
  alarmKey,
  alarmName,
  compositeAlarms,
  findAlarm,
  type AlarmDocument,
  type AlarmState,
  type CompositeAlarmDocument,
  type MetricAlarmDocument,
  type NewState,
} from "./records.ts";
import { suppress, type SuppressionStep } from "./suppression.ts";

/** Composite alarms may look at each other: their changes are followed no longer than this. */
const MAX_ROUNDS = 20;

/** Changes of alarms' states: stored first, then told to history, actions and the composite alarms above. */
export class Alarms {
  readonly history: AlarmHistory;
  readonly #deps: CloudWatchDeps;
  readonly #running = new Set<Promise<void>>();

  constructor(deps: CloudWatchDeps) {
    this.#deps = deps;
    this.history = new AlarmHistory(deps.journal);
  }

  /** Puts an alarm into a state, and what follows from it. @returns whether it was in another one */
  async setState(scope: Scope, alarm: Pick<AlarmDocument, "type" | "name">, to: NewState): Promise<boolean> {
    const changed = await this.#set(scope, alarm, to);
    if (changed) await this.evaluateComposites(scope);
    return changed;
  }

  /** Notes which series of an alarm are in ALARM, and what follows from those that were not, or are no more. */
  async setContributors(
    scope: Scope,
    alarm: MetricAlarmDocument,
    { contributors, changes }: ContributorsVerdict,
  ): Promise<void> {
    if (changes.length === 0) return;
    const { documents, clock } = this.#deps;
    const key = alarmKey(scope, "metric", alarm.name);
    let stored = false;
    await revise<MetricAlarmDocument>(documents, key, (current) => {
      // One that was set up anew in the meantime is judged by its own settings, soon.
      stored = current?.value.configuredAt === alarm.configuredAt;
      return stored && current !== undefined ? [{ key, value: { ...current.value, contributors } }] : [];
    });
    if (!stored) return;
    const told = changes.map((change): Change => ({ scope, alarm, ...change }));
    await this.history.append(scope, clock.now(), told.map(stateItem));
    for (const change of told) this.#act(change);
  }

  /** Judges all composite alarms of an account and region until none changes any more. */
  async evaluateComposites(scope: Scope): Promise<void> {
    const { documents } = this.#deps;
    for (let round = 0; round < MAX_ROUNDS; round++) {
      let changed = false;
      for (const alarm of compositeAlarms(documents, scope)) {
        const state = judgeComposite(documents, scope, alarm);
        if (state !== undefined) changed = (await this.#set(scope, alarm, state)) || changed;
      }
      if (!changed) return;
    }
  }

  /** Lets composite alarms go on whose actions are held back. */
  async resumeSuppressed(scope: Scope): Promise<void> {
    const { documents, clock } = this.#deps;
    for (const alarm of compositeAlarms(documents, scope)) {
      const { suppression, settings } = alarm;
      if (suppression === undefined) continue;
      const step = suppress(settings, suppression, this.#suppressor(scope, alarm), clock.now());
      if (step === "hold") continue;
      await this.#release(scope, alarm.name, step);
    }
  }

  /** Waits for actions under way. */
  async idle(): Promise<void> {
    await Promise.all(this.#running);
  }

  async #set(
    scope: Scope,
    { type, name }: Pick<AlarmDocument, "type" | "name">,
    to: NewState,
  ): Promise<boolean> {
    const { documents, clock } = this.#deps;
    const now = clock.now();
    const state: AlarmState = {
      value: to.value,
      reason: to.reason,
      ...(to.reasonData === undefined ? {} : { reasonData: to.reasonData }),
      ...(to.basis === undefined ? {} : { basis: to.basis }),
      updatedAt: now,
      transitionedAt: now,
    };
    let change: Change | undefined;
    let held = false;
    const key = alarmKey(scope, type, name);
    await revise<AlarmDocument>(documents, key, (current) => {
      change = undefined;
      if (current === undefined || current.value.state.value === to.value) return [];
      const alarm = { ...current.value, state };
      change = { scope, alarm, from: current.value.state, to: state };
      held = false;
      if (alarm.type !== "composite") return [{ key, value: alarm }];
      const step = suppress(alarm.settings, undefined, this.#suppressor(scope, alarm), now, to.value);
      held = typeof step === "object";
      const { suppression: _before, ...rest } = alarm;
      const value =
        typeof step === "object"
          ? { ...rest, suppression: { ...step, from: current.value.state, since: now } }
          : rest;
      return [{ key, value }];
    });
    if (change === undefined) return false;
    await this.history.append(scope, now, [stateItem(change)]);
    if (!held) this.#act(change);
    return true;
  }

  async #release(scope: Scope, name: string, step: Exclude<SuppressionStep, "hold">): Promise<void> {
    const { documents, clock } = this.#deps;
    const key = alarmKey(scope, "composite", name);
    let change: Change | undefined;
    await revise<CompositeAlarmDocument>(documents, key, (current) => {
      change = undefined;
      const suppression = current?.value.suppression;
      if (current === undefined || suppression === undefined) return [];
      if (typeof step === "object")
        return [
          {
            key,
            value: { ...current.value, suppression: { ...suppression, ...step, since: clock.now() } },
          },
        ];
      const { suppression: _gone, ...alarm } = current.value;
      change = { scope, alarm, from: suppression.from, to: alarm.state };
      return [{ key, value: alarm }];
    });
    if (change !== undefined) this.#act(change);
  }

  #suppressor(scope: Scope, { settings }: CompositeAlarmDocument): client.StateValue | undefined {
    const { ActionsSuppressor: suppressor } = settings;
    if (suppressor === undefined) return undefined;
    return findAlarm(this.#deps.documents, scope, alarmName(suppressor))?.state.value;
  }

  /** Actions take as long as they take: an alarm that cannot reach its topic holds no other up. */
  #act(change: Change): void {
    const running = runActions(this.#deps, change)
      .then((items) => this.history.append(change.scope, this.#deps.clock.now(), items))
      .catch(this.#deps.onError)
      .finally(() => this.#running.delete(running));
    this.#running.add(running);
  }
}

function stateItem({ alarm, contributor, from, to }: Change): HistoryItem {
  return {
    name: alarm.name,
    alarmType: alarm.type === "metric" ? "MetricAlarm" : "CompositeAlarm",
    type: contributor === undefined ? "StateUpdate" : "AlarmContributorStateUpdate",
    contributor,
    summary: `Alarm${contributor === undefined ? "" : " contributor"} updated from ${from.value} to ${to.value}`,
    data: javaJson({ version: "1.0", oldState: statePart(from), newState: statePart(to) }),
  };
}

/** Reason data are JSON already: they are an object in the history, not a text. */
function statePart({ value, reason, reasonData }: AlarmState) {
  return {
    stateValue: value,
    stateReason: reason,
    stateReasonData: reasonData === undefined ? undefined : (parsed(reasonData) ?? reasonData),
  };
}

/** SetAlarmState takes any text as reason data. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
