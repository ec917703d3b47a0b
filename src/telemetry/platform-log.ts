import { pino } from "pino";
import type { DestinationStream, Logger } from "pino";

export type LogLevel = "trace" | "debug" | "info" | "warn" | "error" | "fatal" | "silent";

export interface PlatformLogOptions {
  readonly level: LogLevel;
  /** JSON lines; otherwise short lines for a terminal. */
  readonly json: boolean;
  readonly stream: LogStream;
}

export interface LogStream {
  write(text: string): unknown;
  /** Writes what is waiting before it returns. */
  flushSync?(): void;
}

/**
 * Standard error, written to in batches off the caller's way: a line a request must not cost a system call each. What is
 * waiting is written when the process exits, whichever way it does so itself. A reader that does not read (a stopped
 * terminal) costs lines once 16 MB are waiting, never the platform's memory.
 */
export function batchedStandardError(): LogStream & Required<Pick<LogStream, "flushSync">> {
  return pino.destination({ dest: 2, sync: false, minLength: 8192, periodicFlush: 100, maxLength: 16 << 20 });
}

/** The platform's own log, not the functions'. */
export type PlatformLog = Logger;

/** What must never reach the log, at the depths at which requests and function configurations are logged. */
const SECRETS = ["authorization", "Authorization", '["x-amz-security-token"]', '["X-Amz-Security-Token"]'];
const SECRET_PATHS = [
  ...SECRETS.flatMap((name) => [join("", name), join("headers", name), join("*.headers", name)]),
  ...["secretAccessKey", "sessionToken", "SecretAccessKey", "SessionToken"].flatMap((name) => [
    name,
    `*.${name}`,
  ]),
  ...["Environment.Variables", "environment"].flatMap((name) => [name, `*.${name}`]),
];

function join(parent: string, name: string): string {
  if (name.startsWith("[")) return `${parent}${name}`;
  return parent === "" ? name : `${parent}.${name}`;
}

/** Makes the platform's log. Secrets (credentials, session tokens, functions' environment) are written as `[redacted]`. */
export function createPlatformLog(options: PlatformLogOptions): PlatformLog {
  const { stream } = options;
  const destination: DestinationStream & LogStream = {
    write: options.json ? (line) => void stream.write(line) : (line) => void stream.write(shortLine(line)),
    // pino calls it after a fatal error.
    flushSync: () => stream.flushSync?.(),
  };
  return pino(
    {
      level: options.level,
      base: null,
      redact: { paths: SECRET_PATHS, censor: "[redacted]" },
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    destination,
  );
}

/** `12:00:00.000 warn  message key=value`, and an error's stack below. */
function shortLine(json: string): string {
  const { level, time, msg, err, ...rest } = JSON.parse(json) as Record<string, unknown>;
  const fields = Object.entries(rest).map(
    ([key, value]) => ` ${key}=${typeof value === "string" ? value : JSON.stringify(value)}`,
  );
  const stack = (err as { stack?: string } | undefined)?.stack;
  const message = msg === undefined ? "" : JSON.stringify(msg).slice(1, -1);
  const line = terminalLine(String(time), String(level), `${message}${fields.join("")}`);
  return stack === undefined ? line : `${line}${stack}\n`;
}

/** `12:00:00.000 warn  text`, of an ISO time. */
export function terminalLine(time: string, level: string, text: string): string {
  return `${time.slice(11, 23)} ${level.padEnd(5)} ${text}\n`;
}
