import type { Clock, Timer } from "#core/clock";
import { numberOf } from "./attributes.ts";
import type { SqsDeps } from "./deps.ts";
import { findQueue, type FoundQueue } from "./store.ts";

/** How many messages go in one commit: about a millisecond or two. */
const CHUNK = 100;
/** A request removes no more than this itself; the sweep removes the rest. */
const CHUNKS = 5;
const SWEEP_MS = 60_000;

/** The time, in epoch milliseconds, before which what was sent is no more. */
export function oldestKept(queue: FoundQueue, now: number): number {
  return now - numberOf(queue.settings.attributes, "MessageRetentionPeriod") * 1000 + 1;
}

/** Removes messages that are older than their queue keeps them; costs a look at the oldest one where there is none. */
export async function expire(
  { queue: queues, clock }: Pick<SqsDeps, "queue" | "clock">,
  queue: FoundQueue,
  chunks = CHUNKS,
): Promise<void> {
  const last = oldestKept(queue, clock.now());
  for (let chunk = 0; chunk < chunks; chunk++)
    if ((await queues.expire(queue.messages, last, CHUNK)) < CHUNK) return;
}

/** Frees what nobody will ask for: old messages of queues that rest, and those of queues that are gone. */
export class RetentionSweep {
  readonly #deps: SqsDeps;
  readonly #clock: Clock;
  #timer: Timer | undefined;
  #running: Promise<void> = Promise.resolve();
  #stopped = false;

  constructor(deps: SqsDeps) {
    this.#deps = deps;
    this.#clock = deps.clock;
  }

  start(): void {
    this.#timer = this.#clock.after(SWEEP_MS, () => {
      this.#running = this.sweep()
        .catch((error: unknown) => this.#deps.onProblem(error))
        .then(() => {
          if (!this.#stopped) this.start();
        });
    });
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#timer?.cancel();
    await this.#running;
  }

  async sweep(): Promise<void> {
    const { queue: queues, documents } = this.#deps;
    for (const name of queues.queues([])) {
      if (this.#stopped) return;
      const [account, region, kind, own = "", id] = name;
      if (kind !== "sqs") continue;
      const queue = findQueue(documents, { account, region }, own);
      if (queue === undefined || queue.settings.id !== id) await queues.purge(name);
      else await expire(this.#deps, queue, Number.POSITIVE_INFINITY);
    }
  }
}
