import type { Clock } from "#core/clock";
import type { TelemetryHub } from "../runtime-api/telemetry/hub.ts";
import type { Outcome } from "./contract.ts";
import { LineSplitter } from "./lines.ts";
import type { EnvironmentLog } from "./log.ts";
import { tracingRecord } from "./trace-context.ts";
import type { TraceContext } from "./trace-context.ts";

export type RuntimeStatus = "success" | "error" | "failure" | "timeout";

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
  #initializationType = "on-demand";
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
  attach(log: EnvironmentLog, telemetry: TelemetryHub | undefined, initializationType?: string): void {
    this.#log = log;
    this.#telemetry = telemetry;
    this.#initializationType = initializationType ?? this.#initializationType;
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

  initRuntimeDone(): void {
    this.#telemetry?.platform(this.#clock.now(), "initRuntimeDone", {
      initializationType: this.#initializationType,
      phase: "init",
      status: "success",
    });
  }

  initReport(durationMs: number): void {
    this.#telemetry?.platform(this.#clock.now(), "initReport", {
      initializationType: this.#initializationType,
      phase: "init",
      metrics: { durationMs },
    });
  }

  runtimeDone(event: DoneEvent, status: RuntimeStatus, durationMs: number): void {
    if (this.#telemetry?.active !== true) return;
    const { requestId, outcome, trace } = event;
    this.#telemetry.platform(this.#clock.now(), "runtimeDone", {
      requestId,
      status,
      metrics: {
        durationMs,
        ...(outcome?.kind === "response" ? { producedBytes: outcome.payload.length } : {}),
        ...(outcome?.kind === "streamed" ? { producedBytes: outcome.bytes } : {}),
      },
      ...tracingRecord(trace),
    });
  }

  #write(type: "function" | "extension", time: number, message: string): void {
    if (type === "function") this.#log?.application(time, message);
    else this.#log?.write(time, message);
    this.#telemetry?.line(type, time, message);
  }
}
