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
import { UNKNOWN_APPLICATION_ERROR } from "./system-log.ts";
import type { Report } from "./system-log.ts";

export interface InitFailure {
  readonly payload: Buffer;
  readonly text: string;
  readonly errorType: string;
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
        text: UNKNOWN_APPLICATION_ERROR,
        errorType: result.errorType,
        status: "error",
      };
    case "timeout": {
      const error = timeoutError(requestId, timeoutMs);
      return {
        payload: errorPayload(error),
        text: timeoutText(timeoutMs),
        errorType: error.errorType,
        status: "timeout",
      };
    }
    case "failed": {
      const { errorType, message } = result.failure;
      return {
        payload: errorPayload(failureError(requestId, result.failure)),
        text: message,
        errorType,
        status: "error",
      };
    }
    case "exit":
      break;
  }
  return {
    payload: errorPayload(exitError(requestId, result.exit)),
    text: exitText(result.exit),
    errorType: exitReportType(result.exit),
    status: "failure",
  };
}
