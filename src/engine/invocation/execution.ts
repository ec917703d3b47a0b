import type { Clock } from "#core/clock";
import type { Admission } from "../concurrency/admission.ts";
import type { BilledInvocation, FunctionSpec, Invocation, InvocationResult } from "../contract.ts";
import type {
  EnvironmentView,
  IdleEnvironment,
  Job,
  Outcome,
  PrefetchingEnvironment,
} from "../environment/contract.ts";
import type { Answer, GuestEvent } from "../environment/channel.ts";
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
import type { InitFailure } from "./init-failure.ts";
import { BURST_BYTES, SinkReceiver, WholeReceiver } from "./response-stream.ts";
import type { Report } from "./system-log.ts";
import { billedMs, SystemLog } from "./system-log.ts";
import type { InvocationTrace } from "./tracing.ts";

/** What an execution asks of those around it. */
export interface ExecutionHost {
  readonly clock: Clock;
  /** The trace header of an invocation that is not traced. @param given its caller's, where it sent one */
  traceHeader(given: string | undefined): string;
  /** The invocation has ended and its environment may serve the next one. */
  ended(execution: Execution, environment: EnvironmentView): void;
  /** It was prefetched into an environment that will not begin it: another is to be found. */
  returned(execution: Execution, environment: EnvironmentView): void;
}

const NOTHING = new Uint8Array(0);

/** A guest's own clock is believed only of events that took no longer than this, in milliseconds, by the platform's. */
const BELIEVED_MS = 20;

/** A larger event is not given ahead: many of them would fill the channel, and be copied to go out in one piece. */
const MOST_AHEAD_BYTES = 16 * 1024;

/**
 * One event in one environment, from START to REPORT. This is the warm path: one object and one promise for an event,
 * no timer, no closure.
 */
export class Execution implements Job, BilledInvocation {
  readonly invocation: Invocation;
  readonly #host: ExecutionHost;
  readonly #resolve: (result: InvocationResult) => void;
  /** When its turn came, by the monotonic clock. */
  #startedAt = 0;
  /** When its environment was given it ahead of its turn; undefined where it was not. */
  #prefetchedAt: number | undefined;
  /** What the concurrency gate let in; undefined where there is no gate. */
  admission: Admission | undefined;
  /** How it ended, as its metrics tell: the duration in milliseconds, and whether the function failed. */
  durationMs = 0;
  failed = false;
  /**
   * How long its event has kept an environment, in milliseconds; undefined where it was given to none. By the guest's own
   * clock where it tells: by the platform's, the events of a busy host seem to take as long as its event loop's turns.
   */
  busyMs: number | undefined;
  /** How long extensions went on after the runtime had done its part, in milliseconds; undefined where none did. */
  extensionsMs: number | undefined;
  #lingersSince: number | undefined;
  #systemLog: SystemLog | undefined;
  /** What is recorded of it; undefined where it is not traced. */
  trace: InvocationTrace | undefined;
  #traceHeader: string | undefined;
  /** How long the init of this invocation's own cold start took. */
  initMs: number | undefined;
  /** How long the init took that its environment had gone through ahead, where it is the first that one serves. */
  aheadInitMs: number | undefined;
  /** How long restoring its environment took, where it is the first that one serves. */
  restoreMs: number | undefined;
  /** How long an init took that failed within it. */
  #failedInitMs: number | undefined;
  /** Takes the response where the function streams it, or where the caller wants it streamed. */
  #receiver: SinkReceiver | WholeReceiver | undefined;
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

  get spec(): FunctionSpec {
    return this.invocation.spec;
  }

  /** As its REPORT tells it. */
  get billedMs(): number {
    return billedMs(this.durationMs, this.initMs, this.restoreMs);
  }

  /** The part of it that its own init or restore took. */
  get coldMs(): number {
    return Math.min(this.billedMs, Math.ceil((this.initMs ?? 0) + (this.restoreMs ?? 0)));
  }

  get streamedBytes(): number {
    const receiver = this.#receiver;
    if (!(receiver instanceof SinkReceiver)) return 0;
    return Math.max(0, Math.min(receiver.bytes, receiver.limitBytes) - BURST_BYTES);
  }

  get requestId(): string {
    return this.invocation.requestId;
  }

  get timeoutMs(): number {
    return Math.max(1, this.invocation.spec.timeoutMs - this.spentMs);
  }

  /** Whether its event may be given ahead of its turn: not where it is large, or more is told of its time than how long it took. */
  get prefetchable(): boolean {
    const { tail, tenantId, sink, payload } = this.invocation;
    const plain = this.trace === undefined && !tail && tenantId === undefined && sink === undefined;
    return plain && payload.length <= MOST_AHEAD_BYTES;
  }

  /** Gives the event to an environment. */
  begin(environment: IdleEnvironment): void {
    if (this.invocation.tail) environment.log.keepTail();
    environment.begin(this, this.#event(this.#started(environment)));
  }

  /** Gives the event to an environment that is at another one; see `prefetchable`. */
  prefetch(environment: PrefetchingEnvironment): void {
    const { clock } = this.#host;
    this.#prefetchedAt = clock.monotonic();
    environment.prefetch(this, this.#event(clock.now()));
  }

  begun(environment: EnvironmentView, at: number): void {
    this.#started(environment, at);
  }

  returned(environment: EnvironmentView): void {
    this.#prefetchedAt = undefined;
    this.#host.returned(this, environment);
  }

  /** Writes START. @param at when its turn came, by the monotonic clock @returns the time */
  #started(environment: EnvironmentView, at?: number): number {
    const { invocation } = this;
    const { clock } = this.#host;
    const monotonic = clock.monotonic();
    const now = Math.round(clock.now() - (monotonic - (at ?? monotonic)));
    this.#systemLog = new SystemLog(environment.log, invocation.spec.logging);
    const { requestId, spec, tenantId } = invocation;
    this.#systemLog.start(now, requestId, spec.version, tenantId, this.trace);
    this.trace?.begun(now);
    this.#startedAt = at ?? monotonic;
    return now;
  }

  #event(now: number): GuestEvent {
    const { invocation } = this;
    this.#traceHeader = this.trace?.header ?? this.#host.traceHeader(invocation.traceHeader);
    return {
      requestId: invocation.requestId,
      deadlineMs: now + this.timeoutMs,
      invokedFunctionArn: invocation.invokedArn,
      traceId: this.#traceHeader,
      clientContext: invocation.clientContext,
      tenantId: invocation.tenantId,
      payload: invocation.payload,
    };
  }

  responseBegan(contentType: string, taken: (bytes: number) => void): void {
    const { sink } = this.invocation;
    this.#receiver =
      sink === undefined ? new WholeReceiver(taken) : new SinkReceiver(sink, this.#host.clock, taken);
    sink?.begin(contentType);
  }

  responseChunk(bytes: Buffer): boolean {
    return this.#receiver?.push(bytes) ?? false;
  }

  /** The caller need not wait for extensions, unless it wants the log, whose last lines tell how all ended. */
  responded(answer: Answer): void {
    if (this.invocation.tail || answer.kind === "too-large") return;
    if (answer.kind === "streamed") {
      if (this.#receiver?.overflowed === false) this.#answer(this.#whole(), undefined, undefined);
      return;
    }
    if (answer.payload.length > MAX_RESPONSE_BYTES) return;
    if (answer.kind === "error") this.#answer(answer.payload, "Unhandled", undefined);
    else this.#answer(this.#passedOn(answer.payload), undefined, undefined);
  }

  lingers(): void {
    this.#lingersSince ??= this.#host.clock.monotonic();
  }

  finished(outcome: Outcome, environment: EnvironmentView): void {
    const { requestId } = this;
    const { timeoutMs } = this.invocation.spec;
    const { clock } = this.#host;
    const now = clock.now();
    const ended = clock.monotonic();
    const busyMs = ended - this.#startedAt;
    if (this.#lingersSince !== undefined) this.extensionsMs = ended - this.#lingersSince;
    const told = outcome.kind === "response" || outcome.kind === "error" ? outcome.tookMs : undefined;
    const tookMs = busyMs < BELIEVED_MS ? told : undefined;
    this.busyMs = Math.min(tookMs ?? busyMs, ended - (this.#prefetchedAt ?? this.#startedAt));
    // Of one that was given ahead the platform knows when the one before it had ended, which may be when it had, too.
    const elapsed = (this.#prefetchedAt === undefined ? busyMs : this.busyMs) + this.spentMs;
    switch (outcome.kind) {
      case "response":
        if (outcome.payload.length > MAX_RESPONSE_BYTES) return this.#tooLarge(environment, now, elapsed);
        this.#report(environment, now, elapsed, "success", undefined);
        return this.#end(environment, this.#passedOn(outcome.payload), undefined);
      case "streamed":
        if (this.#receiver?.overflowed !== false) return this.#tooLarge(environment, now, elapsed);
        this.#report(environment, now, elapsed, "success", undefined);
        return this.#end(environment, this.#whole(), undefined);
      case "error": {
        // Of an error after a response has begun: "Lambda treats this as a successful response and forwards the error
        // metadata that the runtime provides to the client" (AWS Lambda Developer Guide, "Building a custom runtime").
        const passed = this.#receiver instanceof SinkReceiver;
        this.#report(environment, now, elapsed, passed ? "success" : "error", undefined);
        return this.#end(environment, outcome.payload, "Unhandled", !passed);
      }
      case "timeout": {
        const error = timeoutError(requestId, timeoutMs);
        this.#systemLog?.failure(now, requestId, timeoutText(timeoutMs), error.errorType);
        this.#report(environment, now, timeoutMs, "timeout", error.errorType);
        return this.#end(environment, errorPayload(error), "Unhandled");
      }
      case "exit": {
        const error = exitError(requestId, outcome.exit);
        this.#systemLog?.failure(now, requestId, exitText(outcome.exit), error.errorType);
        this.#report(environment, now, elapsed, "error", exitReportType(outcome.exit));
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
  initFailed(environment: EnvironmentView, initMs: number, failure: InitFailure): void {
    const now = this.#host.clock.now();
    const { text, errorType, status } = failure;
    // No invocation takes longer than its timeout, however late the platform looked.
    const durationMs = status === "timeout" ? this.timeoutMs : initMs;
    const log = new SystemLog(environment.log, this.invocation.spec.logging);
    this.#systemLog = log;
    const { spec, tenantId } = this.invocation;
    log.start(now, this.requestId, spec.version, tenantId, this.trace);
    if (text !== undefined) log.failure(now, this.requestId, text, errorType);
    this.#report(environment, now, durationMs, status, failure.reportType);
    this.#failedInitMs = initMs;
    this.#end(environment, failure.payload, "Unhandled");
  }

  #tooLarge(environment: EnvironmentView, now: number, elapsed: number): void {
    const error = tooLargeError(this.#receiver?.limitBytes);
    this.#report(environment, now, elapsed, "error", error.errorType);
    this.#end(environment, errorPayload(error), "Unhandled");
  }

  /** A streamed response; of one that went to a sink there is nothing left. */
  #whole(): Uint8Array {
    return this.#receiver instanceof WholeReceiver ? this.#receiver.payload : NOTHING;
  }

  /** Gives a response that came in one piece to the sink, where there is one. @returns what is left to answer */
  #passedOn(payload: Buffer): Uint8Array {
    if (this.invocation.sink === undefined) return payload;
    if (this.#receiver === undefined) {
      this.responseBegan("application/json", () => undefined);
      this.responseChunk(payload);
    }
    return NOTHING;
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
      tenantId: this.invocation.tenantId,
      durationMs,
      initMs: this.initMs,
      aheadInitMs: this.aheadInitMs,
      restoreMs: this.restoreMs,
      memoryMb,
      // What a guest says of itself is not trusted beyond its limit.
      usedMb: Math.min(memoryMb, Math.ceil(environment.peakRssKb / 1024)),
      status,
      errorType,
      trace: this.trace,
    });
  }

  #end(
    environment: EnvironmentView,
    payload: Uint8Array,
    functionError: "Unhandled" | undefined,
    failed = functionError !== undefined,
  ): void {
    const logTail = this.invocation.tail ? environment.log.takeTail() : undefined;
    this.failed = failed;
    if (this.trace !== undefined) {
      const { initMs, restoreMs } = this;
      this.trace.ended({ payload, failed, initMs, restoreMs, failedInitMs: this.#failedInitMs });
    }
    this.#host.ended(this, environment);
    this.#answer(payload, functionError, logTail);
  }

  #answer(
    payload: Uint8Array,
    functionError: "Unhandled" | undefined,
    logTail: Uint8Array | undefined,
  ): void {
    const result = { payload, functionError, logTail, traceHeader: this.#traceHeader };
    // A slow reader holds up the answer, not the environment.
    if (this.#receiver instanceof SinkReceiver)
      void this.#receiver.drained().then(() => this.#resolve(result));
    else this.#resolve(result);
  }
}
