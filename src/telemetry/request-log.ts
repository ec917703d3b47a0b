import type { PlatformLog } from "./platform-log.ts";

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

/** A path is the client's own and may be as long as Node.js lets a request line be. */
const SHOWN_PATH = 120;

/** Writes one line a request at info; undefined where the log's level leaves them out, so that they cost nothing. */
export function createRequestLog(
  log: PlatformLog,
  json: boolean,
): ((request: AnsweredRequest) => void) | undefined {
  if (!log.isLevelEnabled("info")) return undefined;
  if (json)
    return ({ method, path, service, operation, status, durationMs, requestId }) => {
      const what =
        operation === undefined ? { service, path: path.slice(0, SHOWN_PATH) } : { service, operation };
      log.info({ method, ...what, status, ms: Math.round(durationMs * 10) / 10, requestId }, "request");
    };
  return (request) => log.info(line(request));
}

/** `POST lambda.Invoke 200 1.3 ms 8f3ad1f2-…` */
function line({ method, path, service, operation, status, durationMs, requestId }: AnsweredRequest): string {
  const what = operation === undefined ? path.slice(0, SHOWN_PATH) : `${service}.${operation}`;
  return `${method} ${what} ${status} ${durationMs.toFixed(1)} ms ${requestId}`;
}
