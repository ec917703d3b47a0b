import { constants } from "node:os";
import type { ExtensionView } from "../runtime-api/extensions.ts";
import type { SandboxExit } from "../sandbox/contract.ts";
import type { Failure } from "./contract.ts";

/** A status as a shell tells it: above 128 it stands for a signal. */
export function exitOf(status: number): SandboxExit {
  const signal = status > 128 ? SIGNALS[status - 128] : undefined;
  return {
    status: signal === undefined ? status : undefined,
    signal,
    cause: undefined,
    error: undefined,
  };
}

const SIGNALS: Readonly<Record<number, string>> = Object.fromEntries(
  Object.entries(constants.signals).map(([name, number]) => [number, name]),
);

/** 126 and 127 are a shell's for a command that cannot be run. */
export function extensionFailure({ state }: ExtensionView, status: number): Failure {
  const launched = state !== "Started" || (status !== 126 && status !== 127);
  return {
    errorType: launched ? "Extension.Crash" : "Extension.LaunchError",
    message: status > 128 ? `signal: ${SIGNALS[status - 128] ?? status - 128}` : `exit status ${status}`,
  };
}

/** The end of a sandbox that was never started. */
export function notStarted(error: Error | undefined): SandboxExit {
  return { status: undefined, signal: undefined, cause: error === undefined ? "killed" : undefined, error };
}
