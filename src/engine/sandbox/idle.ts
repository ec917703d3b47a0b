import type { Clock, Timer } from "#core/clock";

/** How long an environment is idle before it is frozen, in milliseconds. */
const FREEZE_MS = 250;

export interface Freezable {
  /** Stops it where it has been idle for so long. @returns whether it needs no more looking at, for now */
  freezeIfIdle(now: number, idleMs: number): boolean;
}

/** Has idle sandboxes frozen soon. One timer for all: an environment that is used all the time costs nothing here. */
export class IdleSweep {
  readonly #clock: Clock;
  readonly #idleMs: number;
  readonly #idle = new Set<Freezable>();
  #timer: Timer | undefined;

  constructor(clock: Clock, idleMs = FREEZE_MS) {
    this.#clock = clock;
    this.#idleMs = idleMs;
  }

  /** It has become idle. */
  add(sandbox: Freezable): void {
    this.#idle.add(sandbox);
    this.#timer ??= this.#clock.after(this.#idleMs, () => this.#look());
  }

  close(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#idle.clear();
  }

  #look(): void {
    this.#timer = undefined;
    const now = this.#clock.monotonic();
    for (const sandbox of this.#idle) if (sandbox.freezeIfIdle(now, this.#idleMs)) this.#idle.delete(sandbox);
    if (this.#idle.size > 0) this.#timer = this.#clock.after(this.#idleMs, () => this.#look());
  }
}
