import type { Clock } from "#core/clock";
import type { Admission } from "../concurrency/admission.ts";
import type { Invocation, InvocationResult } from "../contract.ts";
import type { EnvironmentView, IdleEnvironment, Job, Outcome } from "../environment/environment.ts";
import type { Answer } from "../environment/channel.ts";
import {
  errorPayload,
  exitError,
  exitReportType,
  exitText,
  failureError,
  MAX_RESPONSE_BYTES,
  timeoutError,
  timeoutText,
  tooLargeError,
} from "./errors.ts";
import type { Report } from "./system-log.ts";
import { SystemLog } from "./system-log.ts";

/** What an execution asks of those around it. */
export interface ExecutionHost {
  readonly clock: Clock;
  /** Makes a trace header where the caller sent none. */
  traceHeader(): string;
  /** The invocation has ended and its environment may serve the next one. */
  ended(execution: Execution, environment: EnvironmentView): void;
}

/**
 * One event in one environment, from START to REPORT. This is the warm path: one object and one promise for an event,
 * no timer, no closure.
 */
export class Execution implements Job {
  readonly invocation: Invocation;
  readonly #host: ExecutionHost;
  readonly #resolve: (result: InvocationResult) => void;
  #startedAt = 0;
  /** What the concurrency gate let in; undefined where there is no gate. */
  admission: Admission | undefined;
  /** How it ended, as its metrics tell: the duration in milliseconds, and whether the function failed. */
  durationMs = 0;
  failed = false;
  /** How long its event has kept an environment, in milliseconds; undefined where it was given to none. */
  busyMs: number | undefined;
  #systemLog: SystemLog | undefined;
  /** How long the init of this invocation's own cold start took. */
  initMs: number | undefined;
  /** What a repeated init has taken of this invocation's time. */
  spentMs = 0;
  /** Ends it without an answer of the function's. */
  readonly reject: (error: Error) => void;

  constructor(
    invocation: Invocation,
    host: ExecutionHost,
    resolve: (result: InvocationResult) => void,
    reject: (error: Error) => void,
  ) {
    this.invocation = invocation;
    this.#host = host;
    this.#resolve = resolve;
    this.reject = reject;
  }

  get requestId(): string {
    return this.invocation.requestId;
  }

  get timeoutMs(): number {
    return Math.max(1, this.invocation.spec.timeoutMs - this.spentMs);
  }

  /** Gives the event to an environment. */
  begin(environment: IdleEnvironment): void {
    const { invocation } = this;
    const { clock } = this.#host;
    const now = clock.now();
    if (invocation.tail) environment.log.keepTail();
    this.#systemLog = new SystemLog(environment.log, invocation.spec.logging);
    this.#systemLog.start(now, invocation.requestId, invocation.spec.version);
    this.#startedAt = clock.monotonic();
    environment.begin(this, {
      requestId: invocation.requestId,
      deadlineMs: now + this.timeoutMs,
      invokedFunctionArn: invocation.invokedArn,
      traceId: invocation.traceHeader ?? this.#host.traceHeader(),
      clientContext: invocation.clientContext,
      payload: invocation.payload,
    });
  }

  /** The caller need not wait for extensions, unless it wants the log, whose last lines tell how all ended. */
  responded(answer: Answer): void {
    if (this.invocation.tail || answer.kind === "too-large") return;
    if (answer.payload.length > MAX_RESPONSE_BYTES) return;
    const functionError = answer.kind === "error" ? "Unhandled" : undefined;
    this.#resolve({ payload: answer.payload, functionError, logTail: undefined });
  }

  finished(outcome: Outcome, environment: EnvironmentView): void {
    const { requestId } = this;
    const { timeoutMs } = this.invocation.spec;
    const { clock } = this.#host;
    const now = clock.now();
    this.busyMs = clock.monotonic() - this.#startedAt;
    const elapsed = this.busyMs + this.spentMs;
    switch (outcome.kind) {
      case "response":
        if (outcome.payload.length > MAX_RESPONSE_BYTES) return this.#tooLarge(environment, now, elapsed);
        this.#report(environment, now, elapsed, "success", undefined);
        return this.#end(environment, outcome.payload, undefined);
      case "error":
        this.#report(environment, now, elapsed, "error", undefined);
        return this.#end(environment, outcome.payload, "Unhandled");
      case "timeout": {
        const error = timeoutError(requestId, timeoutMs);
        this.#systemLog?.failure(now, requestId, timeoutText(timeoutMs), error.errorType);
        this.#report(environment, now, timeoutMs, "timeout", error.errorType);
        return this.#end(environment, errorPayload(error), "Unhandled");
      }
      case "exit": {
        const error = exitError(requestId, outcome.exit);
        this.#systemLog?.failure(now, requestId, exitText(outcome.exit), error.errorType);
        this.#report(environment, now, elapsed, "failure", exitReportType(outcome.exit));
        return this.#end(environment, errorPayload(error), "Unhandled");
      }
      case "failed": {
        const { errorType, message } = outcome.failure;
        this.#systemLog?.failure(now, requestId, message, errorType);
        this.#report(environment, now, elapsed, "error", errorType);
        return this.#end(environment, errorPayload(failureError(requestId, outcome.failure)), "Unhandled");
      }
      case "too-large":
        return this.#tooLarge(environment, now, elapsed);
    }
  }

  /** Ends an invocation whose init failed again: the runtime was started within it and no event was given to it. */
  initFailed(
    environment: EnvironmentView,
    durationMs: number,
    payload: Buffer,
    failure: { text: string; errorType: string; status: Report["status"] },
  ): void {
    const now = this.#host.clock.now();
    const log = new SystemLog(environment.log, this.invocation.spec.logging);
    this.#systemLog = log;
    log.start(now, this.requestId, this.invocation.spec.version);
    log.failure(now, this.requestId, failure.text, failure.errorType);
    this.#report(environment, now, durationMs, failure.status, failure.errorType);
    this.#end(environment, payload, "Unhandled");
  }

  #tooLarge(environment: EnvironmentView, now: number, elapsed: number): void {
    const error = tooLargeError();
    this.#report(environment, now, elapsed, "error", error.errorType);
    this.#end(environment, errorPayload(error), "Unhandled");
  }

  #report(
    environment: EnvironmentView,
    now: number,
    durationMs: number,
    status: Report["status"],
    errorType: string | undefined,
  ): void {
    const { memoryMb } = this.invocation.spec;
    this.durationMs = durationMs;
    this.#systemLog?.report(now, {
      requestId: this.requestId,
      durationMs,
      initMs: this.initMs,
      memoryMb,
      // What a guest says of itself is not trusted beyond its limit.
      usedMb: Math.min(memoryMb, Math.ceil(environment.peakRssKb / 1024)),
      status,
      errorType,
    });
  }

  #end(environment: EnvironmentView, payload: Uint8Array, functionError: "Unhandled" | undefined): void {
    const logTail = this.invocation.tail ? environment.log.takeTail() : undefined;
    this.failed = functionError !== undefined;
    this.#host.ended(this, environment);
    this.#resolve({ payload, functionError, logTail });
  }
}
