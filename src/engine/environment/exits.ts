import { signalOfStatus, signalText } from "#core/signals";
import type { ExtensionView } from "../runtime-api/extensions.ts";
import type { SandboxExit } from "../sandbox/contract.ts";
import { exitReportType, MAX_RESPONSE_BYTES, tooLargeError } from "../invocation/errors.ts";
import type { InitError } from "./channel.ts";
import type { Failure, Outcome } from "./contract.ts";
import type { RuntimeEnd } from "./output.ts";

/** A status as a shell tells it: above 128 it stands for a signal. */
export function exitOf(status: number): SandboxExit {
  const signal = signalOfStatus(status);
  return {
    status: signal === undefined ? status : undefined,
    signal,
    cause: undefined,
    error: undefined,
  };
}

/** 126 and 127 are a shell's for a command that cannot be run; the words for that are those of AWS's supervisor. */
export function extensionFailure({ name, state }: ExtensionView, status: number): Failure {
  if (state === "Started" && (status === 126 || status === 127)) {
    const why = status === 126 ? "permission denied" : "no such file or directory";
    return { errorType: "Extension.LaunchError", message: `fork/exec /opt/extensions/${name}: ${why}` };
  }
  const signal = signalOfStatus(status);
  const message = signal === undefined ? `exit status ${status}` : `signal: ${signalText(signal)}`;
  return { errorType: "Extension.Crash", message };
}

const WELL: RuntimeEnd = { status: "success" };
const TOO_LARGE: RuntimeEnd = { status: "error", errorType: tooLargeError().errorType };

/** What is told of an init that ended so. */
export function initEnd(
  how:
    | Extract<Outcome, { kind: "timeout" | "exit" | "failed" }>
    | ({ readonly kind: "error" } & Pick<InitError, "errorType">),
): RuntimeEnd {
  return how.kind === "error" ? { status: "error", errorType: how.errorType } : runtimeEnd(how);
}

/** What the Telemetry API tells of a runtime's part that ended so. */
export function runtimeEnd(outcome: Outcome): RuntimeEnd {
  switch (outcome.kind) {
    case "timeout":
      return { status: "timeout" };
    case "exit":
      return { status: "error", errorType: exitReportType(outcome.exit) };
    case "failed":
      return { status: "error", errorType: outcome.failure.errorType };
    case "response":
      return outcome.payload.length > MAX_RESPONSE_BYTES ? TOO_LARGE : WELL;
    case "too-large":
      return TOO_LARGE;
    default:
      return WELL;
  }
}

/** The end of a sandbox that was never started. */
export function notStarted(error: Error | undefined): SandboxExit {
  return { status: undefined, signal: undefined, cause: error === undefined ? "killed" : undefined, error };
}
