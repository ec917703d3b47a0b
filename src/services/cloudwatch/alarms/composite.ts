import type { Documents } from "#storage/documents";
import type { Scope } from "../data/metric.ts";
import { javaDate } from "./java.ts";
import type { CompositeReasonData } from "./messages.ts";
import { alarmArn, type CompositeAlarmDocument, findAlarm, type NewState } from "./records.ts";
import { alarmsOf, holds, parseRule } from "./rule.ts";

/** The state that a composite alarm ought to be in, where it is in another: ALARM where its rule holds, else OK. */
export function judgeComposite(
  documents: Documents,
  scope: Scope,
  alarm: CompositeAlarmDocument,
): NewState | undefined {
  const rule = parseRule(alarm.settings.AlarmRule ?? "");
  const children = [...alarmsOf(rule)].flatMap((name) => findAlarm(documents, scope, name) ?? []);
  const states = new Map(children.map(({ name, state }) => [name, state]));
  const value = holds(rule, (name) => states.get(name)?.value) ? "ALARM" : "OK";
  if (value === alarm.state.value) return undefined;
  const latest = children.toSorted((a, b) => b.state.transitionedAt - a.state.transitionedAt)[0];
  const data: CompositeReasonData = {
    triggeringAlarms: children
      .filter(({ state }) => value === "OK" || state.value === "ALARM")
      .map(({ name, state }) => ({
        arn: alarmArn(scope, name),
        state: { value: state.value, timestamp: javaDate(state.transitionedAt) },
      })),
  };
  const reason =
    latest === undefined
      ? `AlarmRule evaluated to ${value === "ALARM" ? "TRUE" : "FALSE"}`
      : `${alarmArn(scope, latest.name)} transitioned to ${latest.state.value} at ${longDate(latest.state.transitionedAt)}`;
  return { value, reason: reason.slice(0, 1023), reasonData: JSON.stringify(data) };
}

const DAYS = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];
const MONTHS = [
  "January",
  "February",
  "March",
  "April",
  "May",
  "June",
  "July",
  "August",
  "September",
  "October",
  "November",
  "December",
];

/** `Friday 26 February, 2021 00:22:35 UTC`. */
function longDate(time: number): string {
  const date = new Date(time);
  const day = String(date.getUTCDate()).padStart(2, "0");
  const clock = date.toISOString().slice(11, 19);
  return `${DAYS[date.getUTCDay()]} ${day} ${MONTHS[date.getUTCMonth()]}, ${date.getUTCFullYear()} ${clock} UTC`;
}
