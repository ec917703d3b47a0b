import { pino } from "pino";
import type { DestinationStream, Logger } from "pino";

export type LogLevel = "trace" | "debug" | "info" | "warn" | "error" | "fatal" | "silent";

export interface PlatformLogOptions {
  readonly level: LogLevel;
  /** JSON lines; otherwise short lines for a terminal. */
  readonly json: boolean;
  readonly stream: { write(text: string): unknown };
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
  const destination: DestinationStream = options.json
    ? { write: (line) => void options.stream.write(line) }
    : { write: (line) => void options.stream.write(shortLine(line)) };
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
  const head = `${String(time).slice(11, 23)} ${String(level).padEnd(5)} ${msg === undefined ? "" : JSON.stringify(msg).slice(1, -1)}`;
  return `${head}${fields.join("")}\n${stack === undefined ? "" : `${stack}\n`}`;
}
