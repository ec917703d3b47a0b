import { availableParallelism } from "node:os";
import type { Clock, Timer } from "#core/clock";
import { AwsError } from "#core/errors";
import type { QueueName } from "#storage/documents";
import type { LeasedMessage, Queue } from "#storage/queue";
import { noMetrics } from "../concurrency/meter.ts";
import type { Engine, FunctionSpec, InvocationResult, MetricSink } from "../contract.ts";
import { decodeEvent, encodeEvent } from "./async-event.ts";
import type { AsyncEvent, Refusal, StoredEvent } from "./async-event.ts";
import { type AsyncMeter, createAsyncMeter } from "./async-meter.ts";
import { DEFAULT_EVENT_LIMITS, type EventLimits, type EventOutcome } from "./async-outcome.ts";
import { Brakes } from "./brakes.ts";
import { loopLoad } from "./loop-load.ts";
import { Ramp } from "./ramp.ts";
import { headerForRetry } from "./trace-header.ts";
import { Turns } from "./turns.ts";
import { Wakes } from "./wakes.ts";

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
/** How many functions may run an event beyond all places, where others' long runs hold those. */
const EXTRA = 100;

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
  readonly onDiscard: (event: AsyncEvent, reason: DiscardReason) => void;
  /** Told of what should not happen: a queue that cannot be read. */
  readonly onError: (error: unknown) => void;
  /** Events of this node under way at the same time, at most. Default 100. */
  readonly concurrency?: number;
  /** How many may be under way at once after a pause. Default: as many as there are processors. */
  readonly firstConcurrency?: number;
  /** How busy the event loop was since the last call, from 0 to 1; more events start only while it has time left. */
  readonly load?: () => number;
  /** Where AsyncEventsReceived, AsyncEventAge and AsyncEventsDropped go. */
  readonly metrics?: MetricSink;
}

/** `stopped`: the function's reserved concurrency is 0. */
export type DiscardReason = "retries" | "age" | "deleted" | "stopped";

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
  readonly key: string;
  readonly queue: QueueName;
  message: LeasedMessage;
  /** Whether it ran already when the number of places was last reconsidered. */
  long: boolean;
  leasedUntil: number;
}

class QueueWorker implements AsyncInvoker {
  readonly #options: AsyncInvokerOptions;
  readonly #ramp: Ramp;
  readonly #meter: AsyncMeter;
  readonly #turns = new Turns<QueueName>();
  readonly #wakes = new Wakes();
  readonly #brakes = new Brakes();
  /** Queues that may take a message when one of theirs has ended. */
  readonly #held = new Map<string, QueueName>();
  readonly #running = new Map<string, Running>();
  /** How many of those have been running since before the number of places was last reconsidered. */
  #long = 0;
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
    this.#meter = createAsyncMeter(options.metrics ?? noMetrics);
    this.#unwatch = options.queue.watch([], (queue) => this.#ready(queue));
    this.#sweepTimer = options.clock.after(0, () => this.#start());
  }

  async accept(event: AsyncEvent): Promise<void> {
    const body = encodeEvent(event, { acceptedAt: this.#options.clock.now(), failures: 0, deferrals: 0 });
    await this.#options.queue.append([
      { queue: [event.account, event.region, "async", event.functionName], body },
    ]);
    this.#meter.received(event, this.#options.clock.now());
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
    this.#offer(JSON.stringify(queue), queue);
    this.#pump();
  }

  /** Puts a queue behind those that wait for their turn, or leaves it alone where its function may not run now. */
  #offer(key: string, queue: QueueName): void {
    const until = this.#brakes.pausedUntil(key, this.#options.clock.now());
    if (until === undefined) this.#turns.add(key, queue);
    else this.#wakes.set(queue, until);
  }

  #pump(): void {
    if (this.#closed || this.#turns.size === 0) return;
    if (this.#rampTimer === undefined) {
      this.#ramp.restart();
      this.#rampTimer = this.#options.clock.after(RAMP_MS, this.#adjust);
    }
    for (;;) {
      const { places } = this.#ramp;
      const free = places - this.#busy;
      // Beyond the places, for functions of which nothing runs while long runs of others hold those.
      const extra = Math.min(free + this.#long, free + EXTRA);
      const turn = free > 0 || extra > 0 ? this.#turns.next(free <= 0) : undefined;
      if (turn === undefined) {
        this.#full = free <= 0 && this.#turns.size > 0;
        return;
      }
      const { key, value: queue } = turn;
      this.#turns.take(key);
      const underWay = this.#turns.underWay(key);
      const count = Math.min(free > 0 ? Math.min(TURN, free) : 1, this.#brakes.allowance(key, underWay));
      if (count > 0) void this.#take(key, queue, count);
      else if (underWay > 0) this.#held.set(key, queue);
      else this.#wakes.set(queue, this.#options.clock.now() + SWEEP_MS);
    }
  }

  readonly #adjust = (): void => {
    this.#rampTimer = undefined;
    if (this.#turns.size === 0 && this.#busy === 0) return;
    this.#ramp.adjust(this.#full, this.#long);
    for (const running of this.#running.values()) running.long = true;
    this.#long = this.#running.size;
    this.#full = false;
    this.#rampTimer = this.#options.clock.after(RAMP_MS, this.#adjust);
    this.#pump();
  };

  async #take(key: string, queue: QueueName, count: number): Promise<void> {
    this.#asked += count;
    this.#turns.begin(key, count);
    let taken = 0;
    try {
      const messages = await this.#options.queue.receive(queue, count, LEASE_MS);
      const leasedUntil = this.#options.clock.now() + LEASE_MS;
      for (const message of messages) {
        const id = `${key} ${message.id}`;
        const running = this.#running.get(id);
        // The platform stood still for longer than its lease: it runs once all the same.
        if (running !== undefined) Object.assign(running, { message, leasedUntil });
        else void this.#run(id, { key, queue, message, long: false, leasedUntil });
        if (running === undefined) taken++;
      }
      // As many as were asked for: there may be more, after the others' turns.
      if (messages.length === count && !this.#closed) this.#offer(key, queue);
      else {
        const { visible, nextDueAt } = this.#options.queue.depth(queue);
        const due = visible > 0 ? this.#options.clock.now() : nextDueAt;
        if (due !== undefined) this.#wakes.set(queue, due);
      }
    } catch (error) {
      this.#options.onError(error);
      this.#wakes.set(queue, this.#options.clock.now() + SWEEP_MS);
    } finally {
      this.#asked -= count;
      this.#end(key, count - taken);
    }
  }

  async #run(id: string, running: Running): Promise<void> {
    this.#running.set(id, running);
    try {
      await this.#process(running, decodeEvent(running.message.body));
    } catch (error) {
      // The lease ends by itself and the event is tried again.
      this.#options.onError(error);
    } finally {
      this.#running.delete(id);
      if (running.long) this.#long--;
      this.#end(running.key, 1);
    }
  }

  /** So many messages of a queue are under way no more. */
  #end(key: string, count: number): void {
    this.#turns.end(key, count);
    const held = this.#held.get(key);
    if (held !== undefined && this.#brakes.allowance(key, this.#turns.underWay(key)) > 0) {
      this.#held.delete(key);
      if (!this.#closed) this.#offer(key, held);
    }
    this.#settled();
  }

  async #process(running: Running, event: StoredEvent): Promise<void> {
    const { clock, resolve } = this.#options;
    if (this.#closed) return this.#putBack(running, event, 0);
    const limits = this.#options.limits?.(event) ?? DEFAULT_EVENT_LIMITS;
    const unstarted = { attempts: event.failures, last: undefined, refusal: event.refusal };
    if (limits.stopped === true)
      return this.#giveUp(running, event, "stopped", { condition: "RetriesExhausted", ...unstarted });
    const age = clock.now() - event.acceptedAt;
    if (age > limits.maxAgeMs)
      return this.#giveUp(running, event, "age", { condition: "EventAgeExceeded", ...unstarted });
    const spec = resolve(event.functionArn, event.qualifier);
    if (spec === undefined) return this.#discard(running, event, "deleted");
    this.#meter.tried(event, age, clock.now());
    const result = await this.#invoke(event, spec);
    if ("status" in result) {
      // Throttled, or the platform could not start it: no failure of the function's, and tried until it is too old.
      const delay = Math.min(DEFER_MAX_MS, DEFER_FIRST_MS * 2 ** Math.min(event.deferrals, 20));
      this.#brake(running);
      const deferred = { ...event, deferrals: event.deferrals + 1, refusal: result };
      return this.#putBack(running, deferred, this.#abandoned ? 0 : delay);
    }
    this.#brakes.ran(running.key);
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
    const ranWith = result.traceHeader;
    return this.#putBack(running, { ...event, failures: attempts, deferrals: 0, ranWith }, delay);
  }

  /** Keeps the rest of a queue where it is while its function may not run. */
  #brake({ key, queue }: Running): void {
    const now = this.#options.clock.now();
    this.#brakes.throttled(key, this.#turns.underWay(key) - 1, now);
    const until = this.#brakes.pausedUntil(key, now);
    if (until === undefined) return;
    this.#turns.take(key);
    this.#wakes.set(queue, until);
  }

  /** What came of it, or why it could not be started. */
  async #invoke(event: StoredEvent, spec: FunctionSpec): Promise<InvocationResult | Refusal> {
    const { requestId, invokedArn, payload, clientContext, tenantId, ranWith } = event;
    const traceHeader =
      ranWith === undefined ? event.traceHeader : headerForRetry(event.traceHeader, ranWith);
    try {
      return await this.#options.engine.invoke({
        spec,
        requestId,
        invokedArn,
        payload,
        clientContext,
        traceHeader,
        accepted: { at: event.acceptedAt, attempt: event.failures + 1 },
        tenantId,
        tail: false,
      });
    } catch (error) {
      return error instanceof AwsError
        ? { status: error.status, message: error.message }
        : { status: 500, message: "An internal error occurred." };
    }
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
    await this.#options.queue.giveBack(running.queue, id, lease, delayMs, encodeEvent(event, event));
    this.#wakes.set(running.queue, this.#options.clock.now() + delayMs);
  }

  async #giveUp(
    running: Running,
    event: StoredEvent,
    reason: DiscardReason,
    outcome: EventOutcome,
  ): Promise<void> {
    await this.#options.onOutcome?.(event, outcome);
    await this.#discard(running, event, reason);
  }

  async #discard(running: Running, event: StoredEvent, reason: DiscardReason): Promise<void> {
    // Told before it is removed: whoever forwards it does so at least once.
    this.#options.onDiscard(event, reason);
    this.#meter.dropped(event, this.#options.clock.now());
    await this.#options.queue.ack(running.queue, running.message.id, running.message.lease);
  }

  #settled(): void {
    if (this.#closed) {
      if (this.#busy + this.#ending === 0) this.#drained?.();
    } else this.#pump();
  }

  /** Finds what an earlier process left. From then on, every queue that holds something has a wake or waits for its turn. */
  #start(): void {
    const { queue, onError, clock } = this.#options;
    try {
      for (const name of queue.queues([])) if (name[2] === "async") this.#wakes.set(name, 0);
      this.#sweep();
    } catch (error) {
      onError(error);
      this.#sweepTimer = clock.after(SWEEP_MS, () => this.#start());
    }
  }

  /** Takes up what became due without an append (delays, ended leases) and keeps leases alive. */
  #sweep(): void {
    const { queue, clock, onError } = this.#options;
    const now = clock.now();
    this.#brakes.relax(this.#options.concurrency ?? 100, now);
    for (const name of this.#wakes.take(now)) this.#ready(name);
    for (const running of this.#running.values()) {
      if (running.leasedUntil - now > LEASE_MS / 2) continue;
      running.leasedUntil = now + LEASE_MS;
      const { id, lease } = running.message;
      queue.extend(running.queue, id, lease, LEASE_MS).catch(onError);
    }
    if (!this.#closed) this.#sweepTimer = clock.after(SWEEP_MS, () => this.#sweep());
  }
}
