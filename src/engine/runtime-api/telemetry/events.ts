import type { Subscription, TelemetryType } from "./subscription.ts";

/** An event as the Telemetry API sends it (AWS Lambda Developer Guide, "Lambda Telemetry API Event schema reference"). */
export interface TelemetryEvent {
  /** Epoch milliseconds. */
  readonly time: number;
  /** `function`, `extension` or `platform.…`. */
  readonly type: string;
  readonly record: unknown;
  /** A line of a log in JSON: told as the object that it is to those whose schema knows of it. */
  readonly structured?: boolean;
}

export function categoryOf(event: TelemetryEvent): TelemetryType {
  return event.type === "function" || event.type === "extension" ? event.type : "platform";
}

/** The platform events that the Logs API knows, by schema; it calls some of them by another name. */
const LOGS_EVENTS: Readonly<Record<string, readonly string[]>> = {
  "2020-08-15": ["start", "report", "fault", "extension", "logsSubscription", "logsDropped"],
  "2021-03-18": ["start", "report", "fault", "extension", "logsSubscription", "logsDropped", "runtimeDone"],
};

/** The schema by which "the record is always rendered as a string" ("Lambda Telemetry API Event schema reference", `function`). */
const STRINGS_ALONE = "2022-07-01";

/** The JSON object that a line of a log is. */
function objectIn(line: unknown): string | undefined {
  if (typeof line !== "string" || !line.startsWith("{")) return undefined;
  try {
    JSON.parse(line);
    // On one line, as those who are sent lines by TCP tell records apart by them.
    return line.trimEnd().replaceAll(/[\n\r]/g, " ");
  } catch {
    return undefined;
  }
}

/** The lines of JSON in which a subscriber is told of an event: none, one, or two. */
export function linesFor(event: TelemetryEvent, { api, schemaVersion }: Subscription): readonly string[] {
  const time = new Date(event.time).toISOString();
  // Of the Logs API alone ("platform.fault" in its guide): the Telemetry API tells it by runtimeDone and report.
  if (api === "Telemetry" && event.type === "platform.fault") return [];
  if (api === "Telemetry" || categoryOf(event) !== "platform") {
    const object =
      event.structured === true && api === "Telemetry" && schemaVersion !== STRINGS_ALONE
        ? objectIn(event.record)
        : undefined;
    if (object !== undefined) return [`{"time":"${time}","type":"${event.type}","record":${object}}`];
    return [JSON.stringify({ time, type: event.type, record: event.record })];
  }
  const name = event.type.slice("platform.".length);
  if (LOGS_EVENTS[schemaVersion]?.includes(name) !== true) return [];
  const record = event.record as Readonly<Record<string, unknown>>;
  const { requestId } = record;
  const line = (type: string, content: unknown): string => JSON.stringify({ time, type, record: content });
  switch (name) {
    case "start":
      return [line(event.type, { requestId, version: record["version"] })];
    case "fault":
      return [line(event.type, record["line"])];
    case "runtimeDone": {
      const status = record["status"];
      return [line(event.type, { requestId, status: status === "error" ? "failure" : status })];
    }
    case "report":
      return [
        line("platform.end", { requestId }),
        line(event.type, { requestId, metrics: record["metrics"] }),
      ];
    default:
      return [line(event.type, record)];
  }
}
