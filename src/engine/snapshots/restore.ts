import type { Clock } from "#core/clock";
import { AwsError } from "#core/errors";
import type { FunctionSpec } from "../contract.ts";
import type { EnvironmentView, IdleEnvironment, Job, Outcome } from "../environment/contract.ts";
import { exitReportType } from "../invocation/errors.ts";
import { instanceOf, SystemLog } from "../invocation/system-log.ts";
import type { RuntimeVersion } from "../invocation/system-log.ts";

/** Developer guide, "Lambda SnapStart runtime hooks": loading the runtime and after-restore hooks have 10 seconds. */
const RESTORE_LIMIT_MS = 10_000;

export interface RestoreOptions {
  readonly clock: Clock;
  readonly spec: FunctionSpec;
  /** Unique. */
  readonly id: string;
  readonly runtime: RuntimeVersion;
  /** What has changed since the init phase: fresh credentials. */
  readonly variables: Readonly<Record<string, string>>;
}

export type RestoreResult =
  | { readonly kind: "restored"; readonly environment: IdleEnvironment; readonly restoreMs: number }
  | { readonly kind: "failed"; readonly error: AwsError };

/** Restores an environment that was initialised with SnapStart and has served nothing yet; `done` is called once. */
export function restore(
  environment: IdleEnvironment,
  options: RestoreOptions,
  done: (result: RestoreResult) => void,
): void {
  const { clock, spec, id } = options;
  const log = new SystemLog(environment.log, spec.logging, "snap-start");
  const now = clock.now();
  log.restoreStart(now, instanceOf(spec, environment.log.address.stream), options.runtime);
  environment.begin(new Restore(id, log, clock, done), {
    kind: "restore",
    requestId: id,
    deadlineMs: now + RESTORE_LIMIT_MS,
    invokedFunctionArn: spec.arn,
    traceId: "",
    clientContext: undefined,
    payload: Buffer.from(JSON.stringify(options.variables)),
  });
}

class Restore implements Job {
  readonly requestId: string;
  readonly timeoutMs = RESTORE_LIMIT_MS;
  readonly #log: SystemLog;
  readonly #clock: Clock;
  readonly #done: (result: RestoreResult) => void;
  readonly #begunAt: number;

  constructor(id: string, log: SystemLog, clock: Clock, done: (result: RestoreResult) => void) {
    this.requestId = id;
    this.#log = log;
    this.#clock = clock;
    this.#done = done;
    this.#begunAt = clock.monotonic();
  }

  finished(outcome: Outcome, environment: EnvironmentView): void {
    const restoreMs = this.#clock.monotonic() - this.#begunAt;
    const now = this.#clock.now();
    const idle = outcome.kind === "response" ? environment.idle() : undefined;
    if (idle !== undefined) {
      this.#log.restoreReport(now, restoreMs, "success");
      return this.#done({ kind: "restored", environment: idle, restoreMs });
    }
    const timedOut = outcome.kind === "timeout";
    this.#log.restoreReport(now, restoreMs, timedOut ? "timeout" : "error", errorTypeOf(outcome));
    void environment.kill();
    this.#done({ kind: "failed", error: timedOut ? restoreTimedOut() : restoreFailed() });
  }
}

function errorTypeOf(outcome: Outcome): string | undefined {
  switch (outcome.kind) {
    case "timeout":
      return "Runtime.RestoreHookUserTimeout";
    case "exit":
      return exitReportType(outcome.exit);
    case "failed":
      return outcome.failure.errorType;
    default:
      return "Runtime.AfterRestoreError";
  }
}

/** API reference, Invoke: SnapStartException. */
function restoreFailed(): AwsError {
  return snapStartError(
    "SnapStartException",
    400,
    "The afterRestore() runtime hook encountered an error. For more information, check the Amazon CloudWatch logs.",
  );
}

/** Developer guide, "Troubleshooting SnapStart errors". */
function restoreTimedOut(): AwsError {
  return snapStartError(
    "SnapStartTimeoutException",
    408,
    "Lambda couldn't restore the snapshot within the timeout limit.",
  );
}

function snapStartError(code: string, status: number, message: string): AwsError {
  return new AwsError(code, message, { status, members: { Type: "User", Message: message } });
}
