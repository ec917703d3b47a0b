import type { InitResult } from "../environment/contract.ts";
import {
  errorPayload,
  exitError,
  exitReportType,
  exitText,
  failureError,
  timeoutError,
  timeoutText,
} from "./errors.ts";
import type { Report } from "./system-log.ts";

export interface InitFailure {
  readonly payload: Buffer;
  /** What the log says of it, and of which type; undefined where the runtime has logged it itself. */
  readonly text: string | undefined;
  readonly errorType: string;
  /** What REPORT names as its type. */
  readonly reportType: string;
  readonly status: Report["status"];
}

/** What Invoke answers, and the log tells, where the runtime could not be initialised. */
export function describeInitFailure(
  result: Exclude<InitResult, { kind: "ready" }>,
  requestId: string,
  timeoutMs: number,
): InitFailure {
  switch (result.kind) {
    case "error":
      return {
        payload: result.payload,
        text: undefined,
        errorType: result.errorType,
        reportType: result.errorType,
        status: "error",
      };
    case "timeout": {
      const error = timeoutError(requestId, timeoutMs);
      return {
        payload: errorPayload(error),
        text: timeoutText(timeoutMs),
        errorType: error.errorType,
        reportType: error.errorType,
        status: "timeout",
      };
    }
    case "failed": {
      const { errorType, message } = result.failure;
      return {
        payload: errorPayload(failureError(requestId, result.failure)),
        text: message,
        errorType,
        reportType: errorType,
        status: "error",
      };
    }
    case "exit":
      break;
  }
  const error = exitError(requestId, result.exit);
  return {
    payload: errorPayload(error),
    text: exitText(result.exit),
    errorType: error.errorType,
    reportType: exitReportType(result.exit),
    status: "error",
  };
}
