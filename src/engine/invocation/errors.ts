import { signalText } from "#core/signals";
import type { SandboxExit } from "../sandbox/contract.ts";

/** The most that a synchronous response may hold: 6 MB and a little (AWS Lambda Developer Guide, "Lambda quotas"). */
export const MAX_RESPONSE_BYTES = 6_291_556;

/** The most that a streamed response may hold: 200 MB (AWS Lambda Developer Guide, "Response streaming for Lambda functions"). */
export const MAX_STREAMED_BYTES = 200 * 1024 * 1024;

/** An error that the platform, not the function, answers as Invoke's payload. */
export interface PlatformError {
  readonly errorType: string;
  readonly errorMessage: string;
}

/** Seconds as the messages write them: `3.00`. */
function seconds(ms: number): string {
  return (ms / 1000).toFixed(2);
}

/** The text of a time-out, without request id and time. */
export function timeoutText(timeoutMs: number): string {
  return `Task timed out after ${seconds(timeoutMs)} seconds`;
}

export function timeoutError(requestId: string, timeoutMs: number): PlatformError {
  return {
    errorType: "Sandbox.Timedout",
    errorMessage: `RequestId: ${requestId} Error: ${timeoutText(timeoutMs)}`,
  };
}

/**
 * Recorded: a handler that ends the process with status 0 answers "Runtime exited without providing a reason".
 * Other ends are named as in the AWS Lambda troubleshooting guide.
 */
export function exitText(exit: SandboxExit): string {
  if (exit.signal !== undefined) return `Runtime exited with error: signal: ${signalText(exit.signal)}`;
  if (exit.status === 0 || exit.status === undefined) return "Runtime exited without providing a reason";
  return `Runtime exited with error: exit status ${exit.status}`;
}

export function exitError(requestId: string, exit: SandboxExit): PlatformError {
  return { errorType: "Runtime.ExitError", errorMessage: `RequestId: ${requestId} Error: ${exitText(exit)}` };
}

/** What REPORT and INIT_REPORT name as the error type: a process killed for memory is told apart only there. */
export function exitReportType(exit: SandboxExit): string {
  return exit.cause === "memory" ? "Runtime.OutOfMemory" : "Runtime.ExitError";
}

/** An end that came from outside the runtime: an extension's, or of an entry point that cannot be run. */
export function failureError(
  requestId: string,
  failure: { readonly errorType: string; readonly message: string },
): PlatformError {
  return {
    errorType: failure.errorType,
    errorMessage: `RequestId: ${requestId} Error: ${failure.message}`,
  };
}

export function tooLargeError(limitBytes = MAX_RESPONSE_BYTES): PlatformError {
  return {
    errorType: "Function.ResponseSizeTooLarge",
    errorMessage: `Response payload size exceeded maximum allowed payload size (${limitBytes} bytes).`,
  };
}

export function errorPayload(error: PlatformError): Buffer {
  return Buffer.from(JSON.stringify({ errorMessage: error.errorMessage, errorType: error.errorType }));
}
