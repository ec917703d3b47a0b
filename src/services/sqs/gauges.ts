import type { Clock, Timer } from "#core/clock";
import type { SqsDeps } from "./deps.ts";
import { findQueue, type FoundQueue, type Place } from "./store.ts";

const ROUND_MS = 60_000;
const SLICE_MS = 1000;
/** Slices of a round, within its minute; so many queues are looked at in each at least. */
const SLICES = 50;
const LEAST = 20;

/** How long a queue is reported on after its last use (developer guide, "Monitoring Amazon SQS queues"). */
const ACTIVE_MS = 6 * 3_600_000;

interface ActiveQueue {
  readonly place: Place;
  readonly name: string;
  /** Epoch milliseconds. */
  used: number;
}

/**
 * How full queues are, told to CloudWatch once a minute: of those that hold messages, and of those that were used in the
 * last six hours. Others cost nothing. Many queues are looked at little by little over the minute.
 */
export class QueueGauges {
  readonly #deps: SqsDeps;
  readonly #clock: Clock;
  readonly #active = new Map<string, ActiveQueue>();
  #timer: Timer | undefined;

  constructor(deps: SqsDeps) {
    this.#deps = deps;
    this.#clock = deps.clock;
  }

  /** To be called when an operation found a queue. */
  used({ account, region }: Place, name: string): void {
    const key = `${account} ${region} ${name}`;
    const known = this.#active.get(key);
    if (known === undefined)
      this.#active.set(key, { place: { account, region }, name, used: this.#clock.now() });
    else known.used = this.#clock.now();
  }

  start(): void {
    if (this.#deps.metrics === undefined) return;
    for (const [account, region, kind, name = ""] of this.#deps.queue.queues([]))
      if (kind === "sqs") this.used({ account, region }, name);
    this.#timer = this.#clock.after(ROUND_MS, this.#round);
  }

  stop(): void {
    this.#timer?.cancel();
  }

  /** Forgets which queues are active. */
  reset(): void {
    this.#active.clear();
  }

  readonly #round = (): void => {
    const queues = [...this.#active];
    this.#slice(queues, Math.max(LEAST, Math.ceil(queues.length / SLICES)), this.#clock.now() + ROUND_MS);
  };

  #slice(left: readonly (readonly [string, ActiveQueue])[], size: number, nextRound: number): void {
    for (const [key, queue] of left.slice(0, size)) if (!this.#report(queue)) this.#active.delete(key);
    const rest = left.slice(size);
    this.#timer =
      rest.length === 0
        ? this.#clock.after(Math.max(0, nextRound - this.#clock.now()), this.#round)
        : this.#clock.after(SLICE_MS, () => this.#slice(rest, size, nextRound));
  }

  /** @returns whether the queue is still active */
  #report(active: ActiveQueue): boolean {
    const queue = findQueue(this.#deps.documents, active.place, active.name);
    if (queue === undefined) return false;
    const now = this.#clock.now();
    const { visible, leased, delayed, oldestSentAt } = this.#deps.queue.depth(queue.messages);
    if (visible + leased + delayed > 0) active.used = now;
    else if (now - active.used > ACTIVE_MS) return false;
    const age = oldestSentAt === undefined ? 0 : Math.max(0, Math.floor((now - oldestSentAt) / 1000));
    this.#record(queue, "ApproximateNumberOfMessagesVisible", "Count", visible);
    this.#record(queue, "ApproximateNumberOfMessagesNotVisible", "Count", leased);
    this.#record(queue, "ApproximateNumberOfMessagesDelayed", "Count", delayed);
    this.#record(queue, "ApproximateAgeOfOldestMessage", "Seconds", age);
    return true;
  }

  #record({ account, region, name }: FoundQueue, metric: string, unit: string, value: number): void {
    const address = {
      account,
      region,
      namespace: "AWS/SQS",
      name: metric,
      unit,
      dimensions: { QueueName: name },
    };
    this.#deps.metrics?.series(address).record(value, this.#clock.now());
  }
}
