import { availableParallelism } from "node:os";
import type { Clock, Timer } from "#core/clock";
import type { QueueName } from "#storage/documents";
import type { LeasedMessage, Queue } from "#storage/queue";
import type { Engine, FunctionSpec, InvocationResult } from "../contract.ts";
import { decodeEvent, encodeEvent } from "./async-event.ts";
import type { AsyncEvent, StoredEvent } from "./async-event.ts";
import { DEFAULT_EVENT_LIMITS, type EventLimits, type EventOutcome } from "./async-outcome.ts";
import { loopLoad } from "./loop-load.ts";
import { Ramp } from "./ramp.ts";

/** "one minute between the first two attempts, and two minutes between the second and third attempts" */
const RETRY_DELAY_MS = 60_000;
/** "exponentially from 1 second after the first attempt to a maximum of 5 minutes" for throttles and system errors. */
const DEFER_FIRST_MS = 1000;
const DEFER_MAX_MS = 300_000;

/** Leases are short and extended while an event runs, so that a crash delays its events for this long at most. */
const LEASE_MS = 15_000;
const SWEEP_MS = 1000;
/** One function takes at most so many events in its turn, then the next function's turn comes. */
const TURN = 8;
/** How often the number of places is reconsidered while there are events. */
const RAMP_MS = 250;

/** What events need of a queue. */
export type EventQueue = Omit<Queue, "move" | "expire">;

export interface AsyncInvokerOptions {
  readonly queue: EventQueue;
  readonly engine: Pick<Engine, "invoke">;
  readonly clock: Clock;
  /** What a qualifier means now; undefined where the function (or version) is gone, and its events with it. */
  readonly resolve: (functionArn: string, qualifier: string | undefined) => FunctionSpec | undefined;
  /** What was configured for events of this function and qualifier; the defaults where nothing was. */
  readonly limits?: (event: AsyncEvent) => EventLimits | undefined;
  /**
   * Told how an event ended, before it is removed from its queue: at least once, and again after a crash or where the
   * promise rejects. Not told of events whose function is gone.
   */
  readonly onOutcome?: (event: AsyncEvent, outcome: EventOutcome) => Promise<void> | void;
  /** Told of an event that was given up. */
  readonly onDiscard: (event: AsyncEvent, reason: "retries" | "age" | "deleted") => void;
  /** Told of what should not happen: a queue that cannot be read. */
  readonly onError: (error: unknown) => void;
  /** Events of this node under way at the same time, at most. Default 100. */
  readonly concurrency?: number;
  /** How many may be under way at once after a pause. Default: as many as there are processors. */
  readonly firstConcurrency?: number;
  /** How busy the event loop was since the last call, from 0 to 1; more events start only while it has time left. */
  readonly load?: () => number;
}

export interface AsyncInvoker {
  /** Resolves once the event is on disk: from then on it is run, whatever happens to this process. */
  accept(event: AsyncEvent): Promise<void>;
  /** Takes no more events from the queues and waits up to `graceMs` for those under way. */
  close(graceMs: number): Promise<void>;
}

export function createAsyncInvoker(options: AsyncInvokerOptions): AsyncInvoker {
  return new QueueWorker(options);
}

interface Running {
  readonly queue: QueueName;
  readonly message: LeasedMessage;
  /** Whether it ran already when the number of places was last reconsidered. */
  long: boolean;
  leasedUntil: number;
}

class QueueWorker implements AsyncInvoker {
  readonly #options: AsyncInvokerOptions;
  readonly #ramp: Ramp;
  /** Queues that may hold something, in the order of their turns. */
  readonly #turns = new Map<string, QueueName>();
  readonly #running = new Set<Running>();
  /** Places held by a receive that has not come back. */
  #asked = 0;
  /** Events that have run and are being removed from their queue. */
  #ending = 0;
  /** Whether events have waited for a place since the last look. */
  #full = false;
  #rampTimer: Timer | undefined;
  readonly #unwatch: () => void;
  #sweepTimer: Timer;
  #closed = false;
  #abandoned = false;
  #drained: (() => void) | undefined;

  constructor(options: AsyncInvokerOptions) {
    this.#options = options;
    this.#ramp = new Ramp({
      first: options.firstConcurrency ?? availableParallelism(),
      most: options.concurrency ?? 100,
      load: options.load ?? loopLoad(),
    });
    this.#unwatch = options.queue.watch([], (queue) => this.#ready(queue));
    this.#sweepTimer = options.clock.after(0, () => this.#sweep());
  }

  async accept(event: AsyncEvent): Promise<void> {
    const body = encodeEvent({
      ...event,
      acceptedAt: this.#options.clock.now(),
      failures: 0,
      deferrals: 0,
    });
    await this.#options.queue.append([
      { queue: [event.account, event.region, "async", event.functionName], body },
    ]);
  }

  async close(graceMs: number): Promise<void> {
    this.#closed = true;
    this.#unwatch();
    this.#sweepTimer.cancel();
    this.#rampTimer?.cancel();
    if (this.#busy + this.#ending > 0 && graceMs > 0)
      await new Promise<void>((resolve) => {
        const timer = this.#options.clock.after(graceMs, resolve);
        this.#drained = () => {
          timer.cancel();
          resolve();
        };
      });
    // What comes back from now on was cut off by the platform itself and is no failure of the function's.
    this.#abandoned = true;
  }

  get #busy(): number {
    return this.#running.size + this.#asked;
  }

  #ready(queue: QueueName): void {
    if (queue[2] !== "async" || this.#closed) return;
    this.#turns.set(JSON.stringify(queue), queue);
    this.#pump();
  }

  #pump(): void {
    if (this.#closed || this.#turns.size === 0) return;
    if (this.#rampTimer === undefined) {
      this.#ramp.restart();
      this.#rampTimer = this.#options.clock.after(RAMP_MS, this.#adjust);
    }
    for (const [key, queue] of this.#turns) {
      const free = this.#ramp.places - this.#busy;
      if (free <= 0) {
        this.#full = true;
        return;
      }
      this.#turns.delete(key);
      void this.#take(queue, Math.min(TURN, free));
    }
  }

  readonly #adjust = (): void => {
    this.#rampTimer = undefined;
    if (this.#turns.size === 0 && this.#busy === 0) return;
    let long = 0;
    for (const running of this.#running) {
      if (running.long) long++;
      running.long = true;
    }
    this.#ramp.adjust(this.#full, long);
    this.#full = false;
    this.#rampTimer = this.#options.clock.after(RAMP_MS, this.#adjust);
    this.#pump();
  };

  async #take(queue: QueueName, count: number): Promise<void> {
    this.#asked += count;
    try {
      const messages = await this.#options.queue.receive(queue, count, LEASE_MS);
      const leasedUntil = this.#options.clock.now() + LEASE_MS;
      // Taken as many as were asked for: there may be more, after the others' turns.
      if (messages.length === count && !this.#closed) this.#turns.set(JSON.stringify(queue), queue);
      for (const message of messages) void this.#run({ queue, message, long: false, leasedUntil });
    } catch (error) {
      this.#options.onError(error);
    } finally {
      this.#asked -= count;
      this.#settled();
    }
  }

  async #run(running: Running): Promise<void> {
    this.#running.add(running);
    try {
      await this.#process(running, decodeEvent(running.message.body));
    } catch (error) {
      // The lease ends by itself and the event is tried again.
      this.#options.onError(error);
    } finally {
      this.#running.delete(running);
      this.#settled();
    }
  }

  async #process(running: Running, event: StoredEvent): Promise<void> {
    const { clock, engine, resolve } = this.#options;
    if (this.#closed) return this.#putBack(running, event, 0);
    const limits = this.#options.limits?.(event) ?? DEFAULT_EVENT_LIMITS;
    if (clock.now() - event.acceptedAt > limits.maxAgeMs)
      return this.#giveUp(running, event, "age", {
        condition: "EventAgeExceeded",
        attempts: event.failures,
        last: undefined,
      });
    const spec = resolve(event.functionArn, event.qualifier);
    if (spec === undefined) return this.#discard(running, event, "deleted");
    let result: InvocationResult;
    try {
      result = await engine.invoke({
        spec,
        requestId: event.requestId,
        invokedArn: event.invokedArn,
        payload: event.payload,
        clientContext: event.clientContext,
        traceHeader: event.traceHeader,
        tenantId: event.tenantId,
        tail: false,
      });
    } catch {
      // Throttled, or the platform could not start it: no failure of the function's, and tried until it is too old.
      const delay = Math.min(DEFER_MAX_MS, DEFER_FIRST_MS * 2 ** Math.min(event.deferrals, 20));
      return this.#putBack(
        running,
        { ...event, deferrals: event.deferrals + 1 },
        this.#abandoned ? 0 : delay,
      );
    }
    const last = { version: spec.version, result };
    const attempts = event.failures + 1;
    if (result.functionError === undefined) {
      await this.#options.onOutcome?.(event, { condition: "Success", attempts, last });
      return this.#forget(running);
    }
    if (this.#abandoned) return this.#putBack(running, event, 0);
    if (event.failures >= limits.maxRetries)
      return this.#giveUp(running, event, "retries", { condition: "RetriesExhausted", attempts, last });
    const delay = attempts * RETRY_DELAY_MS;
    // Recorded: an event that would be too old for its next try is given up at once (test_maxeventage).
    if (clock.now() + delay - event.acceptedAt > limits.maxAgeMs)
      return this.#giveUp(running, event, "age", { condition: "EventAgeExceeded", attempts, last });
    return this.#putBack(running, { ...event, failures: attempts, deferrals: 0 }, delay);
  }

  /** Nobody waits for the removal: the next event may be received in the same transaction. */
  #forget({ queue, message }: Running): void {
    this.#ending++;
    this.#options.queue
      .ack(queue, message.id, message.lease)
      .catch(this.#options.onError)
      .finally(() => {
        this.#ending--;
        this.#settled();
      });
  }

  async #putBack(running: Running, event: StoredEvent, delayMs: number): Promise<void> {
    const { id, lease } = running.message;
    await this.#options.queue.giveBack(running.queue, id, lease, delayMs, encodeEvent(event));
  }

  async #giveUp(
    running: Running,
    event: StoredEvent,
    reason: "retries" | "age",
    outcome: EventOutcome,
  ): Promise<void> {
    await this.#options.onOutcome?.(event, outcome);
    await this.#discard(running, event, reason);
  }

  async #discard(running: Running, event: StoredEvent, reason: "retries" | "age" | "deleted"): Promise<void> {
    // Told before it is removed: whoever forwards it does so at least once.
    this.#options.onDiscard(event, reason);
    await this.#options.queue.ack(running.queue, running.message.id, running.message.lease);
  }

  #settled(): void {
    if (this.#closed) {
      if (this.#busy + this.#ending === 0) this.#drained?.();
    } else this.#pump();
  }

  /** Finds what became due without an append (delays, ended leases, what an earlier process left) and keeps leases alive. */
  #sweep(): void {
    const { queue, clock, onError } = this.#options;
    try {
      for (const name of queue.queues([]))
        if (name[2] === "async" && queue.depth(name).visible > 0) this.#ready(name);
    } catch (error) {
      onError(error);
    }
    const now = clock.now();
    for (const running of this.#running) {
      if (running.leasedUntil - now > LEASE_MS / 2) continue;
      running.leasedUntil = now + LEASE_MS;
      const { id, lease } = running.message;
      queue.extend(running.queue, id, lease, LEASE_MS).catch(onError);
    }
    if (!this.#closed) this.#sweepTimer = clock.after(SWEEP_MS, () => this.#sweep());
  }
}
