/** The first pause of a queue of which nothing may run; doubled up to the longest while that stays so. */
const FIRST_PAUSE_MS = 1000;
const LONGEST_PAUSE_MS = 8000;

interface Brake {
  /** How many of its messages may be under way at once; Infinity where that is not known. */
  most: number;
  pauseMs: number;
  /** Epoch milliseconds until when it is left alone. */
  until: number;
}

/**
 * Holds queues back whose function was throttled: they take no more messages than can run, so that a backlog which may
 * not run now is not taken up and put back, message by message, at the cost of all others.
 */
export class Brakes {
  readonly #brakes = new Map<string, Brake>();

  /** How many more messages a queue may take. @param underWay those that it has taken */
  allowance(key: string, underWay: number): number {
    return Math.max(0, (this.#brakes.get(key)?.most ?? Infinity) - underWay);
  }

  /** Until when a queue is left alone, in epoch milliseconds; undefined where it is not. */
  pausedUntil(key: string, now: number): number | undefined {
    const until = this.#brakes.get(key)?.until ?? 0;
    return until > now ? until : undefined;
  }

  /**
   * To be called for each message whose function was throttled.
   * @param others messages of the queue that are under way besides this one: it goes on when one of those ends
   */
  throttled(key: string, others: number, now: number): void {
    const brake = this.#brakes.get(key) ?? { most: Infinity, pauseMs: FIRST_PAUSE_MS, until: 0 };
    this.#brakes.set(key, brake);
    brake.most = Math.max(1, others);
    if (others > 0) return;
    brake.until = now + brake.pauseMs;
    brake.pauseMs = Math.min(LONGEST_PAUSE_MS, brake.pauseMs * 2);
  }

  /** To be called for each message whose function has run. */
  ran(key: string): void {
    const brake = this.#brakes.get(key);
    if (brake !== undefined) brake.pauseMs = FIRST_PAUSE_MS;
  }

  /** To be called once a second: lets every queue try one message more. @param most no queue needs more than so many */
  relax(most: number, now: number): void {
    for (const [key, brake] of this.#brakes) {
      if (brake.until > now) continue;
      brake.most++;
      if (brake.most > most) this.#brakes.delete(key);
    }
  }
}
