import type * as client from "@aws-sdk/client-cloudwatch";
import type { CompositeAlarmSettings, Suppression } from "./records.ts";

/** `act`: carry the actions out; `hold`: go on waiting as before; else wait, for another reason. */
export type SuppressionStep = "act" | "hold" | Pick<Suppression, "by" | "reason">;

const BY_ALARM = { by: "Alarm", reason: "Suppressor alarm is in ALARM state" } as const;
const BY_WAIT = {
  by: "WaitPeriod",
  reason: "Waiting for the suppressor alarm to go into ALARM state",
} as const;
const BY_EXTENSION = {
  by: "ExtensionPeriod",
  reason: "Waiting after the suppressor alarm has left the ALARM state",
} as const;

/**
 * Whether a composite alarm's actions are held back (user guide, "Suppressing composite alarm actions"): as long as the
 * suppressor is in ALARM; for the wait period after the alarm itself went into ALARM, in case the suppressor follows;
 * and for the extension period after the suppressor has left ALARM.
 * @param suppression how they are held back now; undefined for a change of state
 * @param changedTo the state, for a change
 */
export function suppress(
  settings: CompositeAlarmSettings,
  suppression: Suppression | undefined,
  suppressor: client.StateValue | undefined,
  now: number,
  changedTo?: client.StateValue,
): SuppressionStep {
  if (settings.ActionsSuppressor === undefined) return "act";
  const wait = (settings.ActionsSuppressorWaitPeriod ?? 0) * 1000;
  const extension = (settings.ActionsSuppressorExtensionPeriod ?? 0) * 1000;
  if (suppressor === "ALARM") return suppression?.by === "Alarm" ? "hold" : BY_ALARM;
  if (suppression === undefined) return changedTo === "ALARM" && wait > 0 ? BY_WAIT : "act";
  if (suppression.by === "Alarm") return extension > 0 ? BY_EXTENSION : "act";
  return now >= suppression.since + (suppression.by === "WaitPeriod" ? wait : extension) ? "act" : "hold";
}
