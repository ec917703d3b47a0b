import { asFields, type Fields, fieldsOf } from "./log-line.ts";

/** A line of a function's log. */
export interface LogEvent {
  /** Epoch milliseconds. */
  readonly time: number;
  readonly message: string;
}

/** What REPORT tells of a request. Milliseconds and megabytes. */
export interface Report {
  readonly durationMs: number;
  readonly billedMs: number;
  readonly memoryMb: number;
  readonly usedMb: number;
  /** Of its own cold start. */
  readonly initMs: number | undefined;
  readonly restoreMs: number | undefined;
  /** As the log names it; text logs name only what is not success. */
  readonly status: string | undefined;
  readonly errorType: string | undefined;
  readonly traceId: string | undefined;
}

export interface Failure {
  readonly type: string;
  readonly message: string;
  /** Lines as the runtime wrote them. */
  readonly stack: readonly string[];
}

/** One request, as the log of its environment tells of it. */
export interface RequestLog {
  readonly requestId: string;
  readonly version: string | undefined;
  /** Epoch milliseconds. */
  readonly startedAt: number;
  /** All of its lines, those of its cold start first. */
  readonly lines: readonly LogEvent[];
  readonly report: Report | undefined;
  /** What went wrong; undefined where nothing did, or nothing was logged of it. */
  readonly failure: Failure | undefined;
}

interface Open {
  readonly requestId: string;
  readonly version: string | undefined;
  readonly startedAt: number;
  readonly lines: LogEvent[];
  report: Report | undefined;
}

/** The requests that a log stream tells of, one after the other: an environment serves one at a time. */
export function requestsIn(events: readonly LogEvent[]): RequestLog[] {
  const found: Open[] = [];
  /** Of an init, until the request comes that it was for. */
  let before: LogEvent[] = [];
  for (const event of events) {
    const { message, time } = event;
    const record = fieldsOf(message);
    const current = found.at(-1);
    const start = startOf(message, record);
    if (start !== undefined) {
      found.push({ ...start, startedAt: time, lines: [...before, event], report: undefined });
      before = [];
      continue;
    }
    if (current === undefined || before.length > 0 || beginsInit(message, record)) {
      before.push(event);
      continue;
    }
    current.lines.push(event);
    const report = reportOf(message, record);
    if (report !== undefined && report.requestId === current.requestId) current.report = report;
  }
  return found.map((request) => ({ ...request, failure: failureOf(request) }));
}

const UUID = "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}";

/** Where runtimes and the platform name the request in a line; others that stand in it are the function's own matter. */
const NAMED = new RegExp(
  `\\bRequestId: (${UUID})|^\\S+\\t(${UUID})\\t|^\\S+Z (${UUID}) Task |"requestId": ?"(${UUID})"`,
  "i",
);

/** The request that a line is of, where it says so. */
export function requestIdIn(message: string): string | undefined {
  return NAMED.exec(message)
    ?.slice(1)
    .find((id) => id !== undefined);
}

function startOf(
  message: string,
  record: Fields | undefined,
): { readonly requestId: string; readonly version: string | undefined } | undefined {
  const [, text, version] = /^START RequestId: (\S+)(?: Version: (\S+))?/.exec(message) ?? [];
  if (text !== undefined) return { requestId: text, version };
  if (record?.["type"] !== "platform.start") return undefined;
  const { requestId, version: ran } = object(record["record"]);
  return typeof requestId === "string"
    ? { requestId, version: typeof ran === "string" ? ran : undefined }
    : undefined;
}

function beginsInit(message: string, record: Fields | undefined): boolean {
  return (
    /^(?:INIT|RESTORE)_START /.test(message) ||
    record?.["type"] === "platform.initStart" ||
    record?.["type"] === "platform.restoreStart"
  );
}

function reportOf(
  message: string,
  record: Fields | undefined,
): (Report & { readonly requestId: string }) | undefined {
  if (message.startsWith("REPORT RequestId: ")) return textReport(message);
  return record?.["type"] === "platform.report" ? jsonReport(object(record["record"])) : undefined;
}

function textReport(message: string): Report & { readonly requestId: string } {
  const fields = new Map(
    message.split(/[\t\n]/).map((field): [string, string] => {
      const at = field.indexOf(":");
      return [field.slice(0, at), field.slice(at + 1).trim()];
    }),
  );
  const number = (name: string) => {
    const value = Number.parseFloat(fields.get(name) ?? "");
    return Number.isNaN(value) ? undefined : value;
  };
  return {
    requestId: fields.get("REPORT RequestId") ?? "",
    durationMs: number("Duration") ?? 0,
    billedMs: number("Billed Duration") ?? 0,
    memoryMb: number("Memory Size") ?? 0,
    usedMb: number("Max Memory Used") ?? 0,
    initMs: number("Init Duration"),
    restoreMs: number("Restore Duration"),
    status: fields.get("Status"),
    errorType: fields.get("Error Type"),
    traceId: fields.get("XRAY TraceId"),
  };
}

function jsonReport(record: Fields): Report & { readonly requestId: string } {
  const metrics = object(record["metrics"]);
  const number = (name: string) => {
    const value = metrics[name];
    return typeof value === "number" ? value : undefined;
  };
  const header = text(object(record["tracing"])["value"]);
  return {
    requestId: text(record["requestId"]) ?? "",
    durationMs: number("durationMs") ?? 0,
    billedMs: number("billedDurationMs") ?? 0,
    memoryMb: number("memorySizeMB") ?? 0,
    usedMb: number("maxMemoryUsedMB") ?? 0,
    initMs: number("initDurationMs"),
    restoreMs: number("restoreDurationMs"),
    status: text(record["status"]),
    errorType: text(record["errorType"]),
    traceId: /Root=([^;]+)/.exec(header ?? "")?.[1],
  };
}

/** What the runtime logged of an error, else what the platform did: that it took too long, or its process ended. */
function failureOf({ lines, report }: Open): Failure | undefined {
  // Only JSON logs say so; an error that a function wrote to its log itself is no failure of it.
  if (report?.status === "success") return undefined;
  const errors = lines.map(({ message }) => runtimeError(message, fieldsOf(message)));
  const logged = errors.findLast((error) => error !== undefined);
  const ended = lines.map(({ message }) => platformError(message)).findLast((error) => error !== undefined);
  const timedOut = ended?.type === "Sandbox.Timedout" || report?.status === "timeout";
  if (logged !== undefined && !timedOut) return logged;
  if (ended !== undefined) return ended;
  const { status, errorType } = report ?? {};
  if (status === undefined || status === "success") return undefined;
  const type = errorType ?? (timedOut ? "Sandbox.Timedout" : status);
  return { type, message: timedOut ? `Task timed out after ${seconds(report)} seconds` : "", stack: [] };
}

function seconds(report: Report | undefined): string {
  return ((report?.durationMs ?? 0) / 1000).toFixed(2);
}

/** Node.js's and Ruby's runtimes name their own lines so. */
const TITLES =
  /\t(?:Invoke Error|Uncaught Exception|Unhandled Promise Rejection|Init Error)\s|^(?:Error raised from|Critical exception from) /;

function runtimeError(message: string, record: Fields | undefined): Failure | undefined {
  const json = record ?? (TITLES.test(message) ? fieldsOf(message.slice(message.indexOf("{"))) : undefined);
  // Node.js's JSON lines hold it as their message.
  for (const candidate of [json, object(json?.["message"])]) {
    const { errorType, errorMessage, stackTrace, stack } = candidate ?? {};
    const trace = Array.isArray(stackTrace) ? stackTrace : stack;
    if (typeof errorType !== "string" || !Array.isArray(trace)) continue;
    return {
      type: errorType,
      message: text(errorMessage) ?? "",
      stack: trace.filter((line) => typeof line === "string").flatMap((line) => line.split("\n")),
    };
  }
  const [, type, python = "", frames] =
    /^\[ERROR\] ([\w.]+)(?:: ([^]*?))?\nTraceback \(most recent call last\):\n?([^]*)$/.exec(message) ?? [];
  if (type !== undefined) return { type, message: python, stack: linesOf(frames) };
  const [, javaType, java = "", at] =
    /^([\w.$]+(?:Exception|Error)[\w.$]*)(?:: ([^\n]*))?\n(\s+at [^]*)$/.exec(message) ?? [];
  return javaType === undefined ? undefined : { type: javaType, message: java, stack: linesOf(at) };
}

/** "Task timed out", "Runtime exited" and others, as the platform tells them in text logs. */
function platformError(message: string): Failure | undefined {
  const late = /^\S+Z \S+ (Task timed out after \S+ seconds)/.exec(message);
  if (late !== null) return { type: "Sandbox.Timedout", message: late[1] ?? "", stack: [] };
  const [, told, type] = /^RequestId: \S+ Error: ([^\n]*)\n(\S+)/.exec(message) ?? [];
  return told === undefined ? undefined : { type: type ?? "", message: told, stack: [] };
}

function linesOf(block = ""): string[] {
  return block
    .replaceAll("\u00a0", " ")
    .split("\n")
    .map((line) => line.trimEnd())
    .filter((line) => line !== "");
}

function object(value: unknown): Fields {
  return asFields(value) ?? {};
}

function text(value: unknown): string | undefined {
  return typeof value === "string" ? value : undefined;
}
