import type { Clock } from "#core/clock";
import type { Extensions, ShutdownReason } from "../runtime-api/extensions.ts";
import { ShutdownPhase } from "../runtime-api/shutdown.ts";

export interface EndingOptions {
  readonly clock: Clock;
  /** Ends every process; resolves when all is gone. */
  readonly kill: () => Promise<void>;
  /** Asks the runtime to end. */
  readonly terminate: () => void;
  /** Told when a shutdown phase begins. */
  readonly onShutdown: () => void;
}

/** The end of one environment: at once, or after a shutdown phase where its extensions have one. */
export class Ending {
  readonly #options: EndingOptions;
  #phase: ShutdownPhase | undefined;
  #ended: Promise<void> | undefined;

  constructor(options: EndingOptions) {
    this.#options = options;
  }

  /** Whether it is in its shutdown phase, or has gone through one. */
  get shutDown(): boolean {
    return this.#phase !== undefined;
  }

  /** @param reason undefined: at once, unless a shutdown phase has begun */
  begin(
    reason: ShutdownReason | undefined,
    extensions: Extensions | undefined,
    runtimeEnded: boolean,
  ): Promise<void> {
    if (this.#ended !== undefined) return this.#ended;
    const { clock, kill, terminate, onShutdown } = this.#options;
    if (reason === undefined || extensions === undefined || extensions.shutdownMs === 0) return kill();
    this.#phase = new ShutdownPhase({ clock, extensions, reason, terminate }, runtimeEnded);
    onShutdown();
    this.#ended = this.#phase.run().then(kill);
    return this.#ended;
  }

  processEnded(process: number | "runtime"): void {
    this.#phase?.processEnded(process);
  }

  /** The sandbox has gone: nothing is left to wait for. */
  cut(): void {
    this.#phase?.cut();
  }
}
