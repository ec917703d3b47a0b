import type { Clock } from "#core/clock";
import type { TelemetryHub } from "../runtime-api/telemetry/hub.ts";
import type { ApiOptions, Outcome } from "./contract.ts";
import { round } from "../invocation/system-log.ts";
import { LineSplitter } from "./lines.ts";
import type { EnvironmentLog } from "./log.ts";
import { tracingRecord } from "./trace-context.ts";
import type { TraceContext } from "./trace-context.ts";

/**
 * How a runtime was done with its part of an event, or of the init phase. One that tells of a function's error has done well:
 * github.com/aws-samples/aws-lambda-extensions/issues/85, where AWS says that this is meant.
 */
export type RuntimeEnd =
  | { readonly status: "success" | "timeout" }
  | { readonly status: "error"; readonly errorType: string };

/** The event that a runtime is done with. */
export interface DoneEvent {
  readonly requestId: string | undefined;
  readonly outcome: Outcome | undefined;
  readonly trace: TraceContext | undefined;
}

/** Where all that one environment says goes: its log stream, and the extensions that subscribed to it. */
export class GuestOutput {
  readonly #clock: Clock;
  readonly #lines: readonly [LineSplitter, LineSplitter];
  #log: EnvironmentLog | undefined;
  #telemetry: TelemetryHub | undefined;
  #init: Pick<ApiOptions, "initializationType" | "initPhase"> | undefined;
  #initToldDone = false;
  /** When the response under way began to come and when it had come, by the monotonic clock. */
  #response: { readonly began: number; came: number } | undefined;
  #unframed = false;

  /** @param launched the guest's launcher sends what extensions write to descriptor 2, and all of the runtime's to 1 */
  constructor(clock: Clock, launched: boolean) {
    this.#clock = clock;
    const line = (type: "function" | "extension") => (text: string) =>
      this.#write(type, clock.now(), `${text}\n`);
    this.#lines = [
      new LineSplitter(line("function")),
      new LineSplitter(line(launched ? "extension" : "function")),
    ];
  }

  /** Its function has written to descriptor 1 or 2, where nothing but the time tells which event a line belongs to. */
  get unframed(): boolean {
    return this.#unframed;
  }

  /** The environment has become a function's. What it said before belongs to nobody. */
  attach(log: EnvironmentLog, telemetry: TelemetryHub | undefined, init?: ApiOptions): void {
    this.#log = log;
    this.#telemetry = telemetry;
    this.#init = init;
    log.observe(telemetry);
  }

  /** Bytes of a descriptor. */
  push(descriptor: 1 | 2, chunk: Buffer): void {
    this.#unframed = this.#log !== undefined;
    this.#lines[descriptor - 1]?.push(chunk);
  }

  /** A log event by the frame protocol, with the time that the guest tells. */
  event(told: number, message: string): void {
    const now = this.#clock.now();
    // Believed only where it is near: CloudWatch orders by it, and the guest is not trusted.
    this.#write("function", Math.abs(told - now) < 60_000 ? told : now, `${message}\n`);
  }

  /** What has been written without an end of line. */
  flush(): void {
    for (const lines of this.#lines) lines.flush();
  }

  /** Only the first end counts. */
  initRuntimeDone(end: RuntimeEnd): void {
    if (this.#initToldDone) return;
    this.#initToldDone = true;
    const { initializationType, initPhase: phase } = this.#init ?? {};
    this.#telemetry?.platform(this.#clock.now(), "initRuntimeDone", { initializationType, phase, ...end });
  }

  initReport(end: RuntimeEnd, durationMs: number): void {
    const { initializationType, initPhase: phase } = this.#init ?? {};
    const record = { initializationType, phase, ...end, metrics: { durationMs: round(durationMs) } };
    this.#telemetry?.platform(this.#clock.now(), "initReport", record);
  }

  /** A response begins to come. */
  responseBegan(): void {
    if (this.#telemetry?.active !== true) return;
    const now = this.#clock.monotonic();
    this.#response = { began: now, came: now };
  }

  /** A response has come whole. */
  responded(): void {
    if (this.#response === undefined) this.responseBegan();
    else this.#response.came = this.#clock.monotonic();
  }

  /** @param begunAt when the event was given to the runtime, by the monotonic clock */
  runtimeDone(event: DoneEvent, end: RuntimeEnd, begunAt: number): void {
    const response = this.#response;
    this.#response = undefined;
    if (this.#telemetry?.active !== true) return;
    const { requestId, outcome, trace } = event;
    const now = this.#clock.monotonic();
    const produced =
      outcome?.kind === "response"
        ? outcome.payload.length
        : outcome?.kind === "streamed"
          ? outcome.bytes
          : 0;
    const span = (name: string, from: number, to: number): object => ({
      name,
      start: new Date(this.#clock.now() - (now - from)).toISOString(),
      durationMs: round(to - from),
    });
    const spans =
      response === undefined || outcome?.kind === "error"
        ? undefined
        : [
            span("responseLatency", begunAt, response.began),
            span("responseDuration", response.began, response.came),
            span("runtimeOverhead", response.came, now),
          ];
    this.#telemetry.platform(this.#clock.now(), "runtimeDone", {
      requestId,
      ...end,
      metrics: { durationMs: round(now - begunAt), producedBytes: produced },
      ...(spans === undefined ? {} : { spans }),
      ...tracingRecord(trace),
    });
  }

  #write(type: "function" | "extension", time: number, message: string): void {
    if (type === "function") this.#log?.application(time, message);
    else this.#log?.write(time, message);
    this.#telemetry?.line(type, time, message);
  }
}
