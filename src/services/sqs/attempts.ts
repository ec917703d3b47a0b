import type { Clock } from "#core/clock";
import { LIMITS } from "./limits.ts";
import type { Received } from "./receiving.ts";

/** So many bytes of messages are kept for repeated receives, of all queues. */
const MOST_BYTES = 32 * 1024 * 1024;

interface Attempt {
  readonly received: readonly Received[];
  readonly bytes: number;
  readonly until: number;
}

/**
 * What receives with a ReceiveRequestAttemptId were answered, so that one that is repeated after a lost answer gets the same
 * messages and does not wait for their visibility timeout (API reference, ReceiveMessage; FIFO queues only).
 */
export class Attempts {
  readonly #clock: Clock;
  /** Oldest first. */
  readonly #known = new Map<string, Attempt>();
  #bytes = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  find(key: string): readonly Received[] | undefined {
    this.#forget(0);
    return this.#known.get(key)?.received;
  }

  remember(key: string, received: readonly Received[]): void {
    const bytes = received.reduce((sum, { leased }) => sum + leased.body.byteLength, key.length);
    this.#remove(key);
    this.#forget(bytes);
    this.#known.set(key, { received, bytes, until: this.#clock.now() + LIMITS.deduplication * 1000 });
    this.#bytes += bytes;
  }

  /** Drops what has ended, and the oldest until there is room for `bytes` more. */
  #forget(bytes: number): void {
    for (const [key, { until }] of this.#known) {
      if (until > this.#clock.now() && this.#bytes + bytes <= MOST_BYTES) return;
      this.#remove(key);
    }
  }

  #remove(key: string): void {
    this.#bytes -= this.#known.get(key)?.bytes ?? 0;
    this.#known.delete(key);
  }
}
