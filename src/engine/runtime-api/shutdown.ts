import type { Clock } from "#core/clock";
import type { Extensions, ShutdownReason } from "./extensions.ts";

/** How much of the shutdown phase is the runtime's where external extensions share it ("Shutdown phase: Duration limit"). */
const RUNTIME_MS = 300;

export interface ShutdownOptions {
  readonly clock: Clock;
  readonly extensions: Extensions;
  readonly reason: ShutdownReason;
  /** Asks the runtime to end. */
  readonly terminate: () => void;
}

/**
 * The shutdown phase of one environment: the runtime is asked to end, then every external extension gets its SHUTDOWN event;
 * who has not ended in time is killed with the sandbox.
 */
export class ShutdownPhase {
  readonly #options: ShutdownOptions;
  readonly #external: Set<number>;
  #runtimeEnded: boolean;
  #wake: (() => void) | undefined;

  /** @param runtimeEnded whether the runtime has ended already, by itself */
  constructor(options: ShutdownOptions, runtimeEnded: boolean) {
    this.#options = options;
    this.#external = new Set(options.extensions.waitingForShutdown);
    this.#runtimeEnded = runtimeEnded;
  }

  processEnded(process: number | "runtime"): void {
    if (process === "runtime") this.#runtimeEnded = true;
    else this.#external.delete(process);
    this.#wake?.();
  }

  /** The sandbox has gone: nothing is left to wait for. */
  cut(): void {
    this.#runtimeEnded = true;
    this.#external.clear();
    this.#wake?.();
  }

  async run(): Promise<void> {
    const { clock, extensions, reason, terminate } = this.#options;
    const total = extensions.shutdownMs;
    const end = clock.monotonic() + total;
    if (!this.#runtimeEnded) {
      terminate();
      await this.#until(() => this.#runtimeEnded, Math.min(total, total > 500 ? RUNTIME_MS : total));
    }
    if (this.#external.size === 0) return;
    const left = end - clock.monotonic();
    extensions.shutdown(reason, Math.floor(clock.now() + left));
    await this.#until(() => this.#external.size === 0, left);
  }

  #until(condition: () => boolean, ms: number): Promise<void> {
    if (condition() || ms <= 0) return Promise.resolve();
    return new Promise((resolve) => {
      const done = (): void => {
        timer.cancel();
        this.#wake = undefined;
        resolve();
      };
      const timer = this.#options.clock.after(ms, done);
      this.#wake = () => {
        if (condition()) done();
      };
    });
  }
}
