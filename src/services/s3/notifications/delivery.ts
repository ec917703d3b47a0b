import type { Clock, Timer } from "#core/clock";
import { AwsError } from "#core/errors";
import type { QueueName } from "#storage/documents";
import type { LeasedMessage, Queue } from "#storage/queue";
import type { AwsCaller } from "#wire/operation";
import { send, sendToBus } from "./destinations.ts";
import { type Notification, QUEUE_KIND } from "./events.ts";

export interface DeliveryOptions {
  readonly queue: Queue;
  readonly caller: AwsCaller;
  readonly clock: Clock;
  /** Told of notifications that were given up, and of what should not happen. */
  readonly onError: (error: unknown) => void;
}

/** Short, so that a crash delays what was under way for no longer. */
const LEASE_MS = 30_000;
const SWEEP_MS = 1000;
/** Deliveries of this node at the same time. */
const PARALLEL = 32;
/** Of one bucket, so that destinations which take long hold no other bucket up. */
const OF_ONE = 8;
const RETRY_FIRST_MS = 1000;
const RETRY_MAX_MS = 300_000;
/** How long what cannot be delivered is kept: S3 retries "for a period of time"; functions' events live as long as six hours. */
const MAX_AGE_MS = 6 * 3_600_000;

/**
 * Takes notifications from their queues to where they go: each at least once, and again, ever later, until it has
 * arrived or is too old. They are on disk from the commit on that caused them, so what a crash interrupts goes on.
 */
export class Delivery {
  readonly #options: DeliveryOptions;
  /** Queues that may hold something, in the order of their turns. */
  readonly #turns = new Map<string, QueueName>();
  /** Deliveries under way, by queue and in all. */
  readonly #running = new Map<string, number>();
  #busy = 0;
  #unwatch: (() => void) | undefined;
  #sweep: Timer | undefined;
  #closed = false;
  #drained: (() => void) | undefined;

  constructor(options: DeliveryOptions) {
    this.#options = options;
  }

  start(): void {
    this.#unwatch = this.#options.queue.watch([], (queue) => this.#ready(queue));
    this.#look();
  }

  /** Takes nothing more and waits up to `graceMs` for what is under way; that stays queued otherwise. */
  async close(graceMs: number): Promise<void> {
    this.#closed = true;
    this.#unwatch?.();
    this.#sweep?.cancel();
    if (this.#busy === 0 || graceMs === 0) return;
    await new Promise<void>((resolve) => {
      const timer = this.#options.clock.after(graceMs, resolve);
      this.#drained = () => {
        timer.cancel();
        resolve();
      };
    });
  }

  /** Finds what became due without an append: delays, leases that ended, what an earlier process left. */
  #look(): void {
    const { queue, clock, onError } = this.#options;
    try {
      for (const name of queue.queues([]))
        if (name[2] === QUEUE_KIND && queue.depth(name).visible > 0) this.#ready(name);
    } catch (error) {
      onError(error);
    }
    if (!this.#closed) this.#sweep = clock.after(SWEEP_MS, () => this.#look());
  }

  #ready(name: QueueName): void {
    if (this.#closed || name[2] !== QUEUE_KIND) return;
    this.#turns.set(JSON.stringify(name), name);
    this.#pump();
  }

  #pump(): void {
    for (const [text, name] of this.#turns) {
      const places = Math.min(PARALLEL - this.#busy, OF_ONE - (this.#running.get(text) ?? 0));
      if (this.#closed || this.#busy >= PARALLEL) return;
      if (places <= 0) continue;
      this.#turns.delete(text);
      // Counted before it is known how many come, so that no more than that are under way.
      this.#count(text, places);
      void this.#take(text, name, places);
    }
  }

  async #take(text: string, name: QueueName, wanted: number): Promise<void> {
    const { queue, onError } = this.#options;
    let messages: readonly LeasedMessage[] = [];
    try {
      messages = await queue.receive(name, wanted, LEASE_MS);
    } catch (error) {
      onError(error);
    }
    if (messages.length === wanted) this.#turns.set(text, name);
    for (const message of messages)
      void this.#deliver(name, message)
        .catch(onError)
        .finally(() => this.#free(text, 1));
    this.#free(text, wanted - messages.length);
  }

  #count(text: string, places: number): void {
    this.#busy += places;
    const running = (this.#running.get(text) ?? 0) + places;
    if (running === 0) this.#running.delete(text);
    else this.#running.set(text, running);
  }

  #free(text: string, places: number): void {
    this.#count(text, -places);
    if (this.#closed && this.#busy === 0) this.#drained?.();
    else this.#pump();
  }

  async #deliver(name: QueueName, message: LeasedMessage): Promise<void> {
    const { queue, clock, onError } = this.#options;
    const notification = JSON.parse(Buffer.from(message.body).toString()) as Notification;
    try {
      await this.#send(name, notification);
    } catch (problem) {
      if (!(problem instanceof AwsError)) onError(problem);
      const failures = notification.failures + 1;
      if (clock.now() - notification.happened < MAX_AGE_MS) {
        const delay = Math.min(RETRY_FIRST_MS * 2 ** (failures - 1), RETRY_MAX_MS);
        const body = Buffer.from(JSON.stringify({ ...notification, failures }));
        await queue.giveBack(name, message.id, message.lease, delay, body);
        return;
      }
      onError(new Error(`gave up a notification of ${notification.bucketArn}`, { cause: problem }));
    }
    await queue.ack(name, message.id, message.lease);
  }

  async #send([account, region]: QueueName, notification: Notification): Promise<void> {
    const { caller } = this.#options;
    const { destination } = notification;
    if (destination.kind === "eventbridge") await sendToBus(caller, notification, { account, region });
    else await send(caller, destination, notification);
  }
}
