import type { Clock } from "#core/clock";
import { type LogLevel, type LogStream, terminalLine } from "./platform-log.ts";

/** An answered request. Nothing of it but these is ever logged: queries carry signatures, bodies carry payloads. */
export interface AnsweredRequest {
  readonly method: string;
  /** As sent, without the query. Told only where no operation was found. */
  readonly path: string;
  readonly service: string | undefined;
  readonly operation: string | undefined;
  readonly status: number;
  readonly durationMs: number;
  readonly requestId: string;
}

export interface RequestLogOptions {
  readonly level: LogLevel;
  readonly json: boolean;
  readonly stream: LogStream;
  readonly clock: Pick<Clock, "now">;
}

/** A path is the client's own and may be as long as Node.js lets a request line be. */
const SHOWN_PATH = 120;

/**
 * Writes one line a request, in the platform log's form at its level info; undefined where the level leaves them out, so
 * that they cost nothing. Past pino, whose lines cost 6 µs of CPU as text and 16 µs as JSON (most of it for looking after
 * secrets, of which there are none here) where these cost 3 and 4; an invocation costs the platform 100 and more.
 */
export function createRequestLog(
  options: RequestLogOptions,
): ((request: AnsweredRequest) => void) | undefined {
  const { level, json, stream, clock } = options;
  if (level !== "info" && level !== "debug" && level !== "trace") return undefined;
  const write = json ? jsonLine : textLine;
  return (request) => void stream.write(write(new Date(clock.now()).toISOString(), request));
}

/** `12:00:00.000 info  POST lambda.Invoke 200 1.3 ms 8f3ad1f2-…` */
function textLine(time: string, request: AnsweredRequest): string {
  const { method, path, service, operation, status, durationMs, requestId } = request;
  const what = operation === undefined ? path.slice(0, SHOWN_PATH) : `${service}.${operation}`;
  return terminalLine(time, "info", `${method} ${what} ${status} ${durationMs.toFixed(1)} ms ${requestId}`);
}

function jsonLine(time: string, request: AnsweredRequest): string {
  const { method, path, service, operation, status, durationMs, requestId } = request;
  const ms = Math.round(durationMs * 10) / 10;
  const what =
    operation === undefined ? { service, path: path.slice(0, SHOWN_PATH) } : { service, operation };
  return `${JSON.stringify({ level: "info", time, method, ...what, status, ms, requestId, msg: "request" })}\n`;
}
