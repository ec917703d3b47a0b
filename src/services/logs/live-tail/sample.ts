import type { LiveTailSessionLogEvent } from "@aws-sdk/client-cloudwatch-logs";

/** What an update holds at most (API reference, StartLiveTail). */
const MOST_EVENTS = 500;
/** Own limit: an event may have a megabyte. */
const MOST_BYTES = 4 << 20;

export interface Sampled {
  readonly events: readonly LiveTailSessionLogEvent[];
  readonly bytes: number;
  /** Whether there were more events than these. */
  readonly sampled: boolean;
}

/** A fair choice of the events of one second, of bounded size however many come. */
export class Sample {
  readonly #random: () => number;
  /** With the number of each, by which they stand in order again in the end. */
  #kept: { readonly event: LiveTailSessionLogEvent; readonly bytes: number; readonly number: number }[] = [];
  #bytes = 0;
  #seen = 0;
  #left = 0;

  constructor(random: () => number) {
    this.#random = random;
  }

  /** @param bytes of the event's message */
  add(event: LiveTailSessionLogEvent, bytes: number): void {
    const number = this.#seen++;
    const full = this.#kept.length === MOST_EVENTS;
    // Each of the events so far stays with the same chance (reservoir sampling).
    const place = full ? Math.floor(this.#random() * this.#seen) : this.#kept.length;
    if (full) this.#left++;
    if (place >= MOST_EVENTS) return;
    const instead = this.#kept[place]?.bytes ?? 0;
    if (this.#bytes - instead + bytes > MOST_BYTES) {
      if (!full) this.#left++;
      return;
    }
    this.#kept[place] = { event, bytes, number };
    this.#bytes += bytes - instead;
  }

  /** What was kept, in the order in which it came; begins anew. */
  take(): Sampled {
    const events = this.#kept.toSorted((a, b) => a.number - b.number).map(({ event }) => event);
    const taken = { events, bytes: this.#bytes, sampled: this.#left > 0 };
    [this.#kept, this.#bytes, this.#seen, this.#left] = [[], 0, 0, 0];
    return taken;
  }
}
