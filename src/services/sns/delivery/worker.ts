import { availableParallelism } from "node:os";
import type { Clock, Timer } from "#core/clock";
import { loopLoad } from "#engine/invocation/loop-load";
import { Ramp } from "#engine/invocation/ramp";
import type { QueueName } from "#storage/documents";
import type { LeasedMessage, Queue } from "#storage/queue";

/** Leases are short and extended while a message is worked on, so that a crash delays it for this long at most. */
const LEASE_MS = 15_000;
const SWEEP_MS = 1000;
/** How often the number of places is reconsidered while there is work. */
const RAMP_MS = 250;

/** How the queues of one kind are worked on. */
export interface KindOptions {
  /** How many messages one turn takes. */
  readonly batch: number;
  /** How many turns of one queue may be under way at once: 1 keeps its messages in order. */
  readonly turns: number;
  /** Whether its work is to wait for others: it takes none of the places that follow the load of this process. */
  readonly waits?: boolean;
  /** Works on the messages of one turn. What it neither acknowledges nor gives back comes again. */
  readonly work: (queue: QueueName, messages: readonly Leased[]) => Promise<void>;
}

/** A message that this worker holds. */
export interface Leased {
  readonly body: Uint8Array;
  /** Removes it for good. */
  ack(): Promise<void>;
  /** Lets it come again after a while. */
  putBack(delayMs: number, body?: Uint8Array): Promise<void>;
}

export interface WorkerOptions {
  readonly queue: Queue;
  readonly clock: Clock;
  readonly kinds: Readonly<Record<string, KindOptions>>;
  /** Told of what should not happen: a queue that cannot be read, work that fails. */
  readonly onError: (error: unknown) => void;
  /** Turns under way at once, at most. Default 100. */
  readonly concurrency?: number;
  /** Turns that wait for others under way at once, at most. Default 256. */
  readonly waiting?: number;
  /** How many may be under way at once after a pause. Default: as many as there are processors. */
  readonly firstConcurrency?: number;
  /** How busy the event loop was since the last call, from 0 to 1; more turns start only while it has time left. */
  readonly load?: () => number;
}

interface Turn {
  readonly queue: QueueName;
  readonly waits: boolean;
  readonly held: Set<LeasedMessage>;
  /** Whether it ran already when the number of places was last reconsidered. */
  long: boolean;
  leasedUntil: number;
}

/** Works durable queues off: the queues in turns, so that none waits for another's backlog. */
export class Worker {
  readonly #options: WorkerOptions;
  readonly #ramp: Ramp;
  /** Queues that may hold something, in the order of their turns. */
  readonly #waiting = new Map<string, QueueName>();
  /** How many turns of each queue are under way. */
  readonly #busy = new Map<string, number>();
  readonly #turns = new Set<Turn>();
  /** Whether a queue has waited for a place since the last look. */
  #full = false;
  #rampTimer: Timer | undefined;
  #sweepTimer: Timer | undefined;
  #unwatch: (() => void) | undefined;
  #closed = false;
  #drained: (() => void) | undefined;

  constructor(options: WorkerOptions) {
    this.#options = options;
    this.#ramp = new Ramp({
      first: options.firstConcurrency ?? availableParallelism(),
      most: options.concurrency ?? 100,
      load: options.load ?? loopLoad(),
    });
  }

  start(): void {
    this.#unwatch = this.#options.queue.watch([], (queue) => this.#ready(queue));
    this.#sweepTimer = this.#options.clock.after(0, () => this.#sweep());
  }

  /** Takes nothing more, and waits up to `graceMs` for what is under way. */
  async close(graceMs: number): Promise<void> {
    this.#closed = true;
    this.#unwatch?.();
    this.#sweepTimer?.cancel();
    this.#rampTimer?.cancel();
    if (this.#turns.size === 0 || graceMs <= 0) return;
    await new Promise<void>((resolve) => {
      const timer = this.#options.clock.after(graceMs, resolve);
      this.#drained = () => {
        timer.cancel();
        resolve();
      };
    });
  }

  #kindOf(queue: QueueName): KindOptions | undefined {
    const { kinds } = this.#options;
    return Object.hasOwn(kinds, queue[2]) ? kinds[queue[2]] : undefined;
  }

  #ready(queue: QueueName): void {
    if (this.#closed || this.#kindOf(queue) === undefined) return;
    this.#waiting.set(JSON.stringify(queue), queue);
    this.#pump();
  }

  #pump(): void {
    if (this.#closed || this.#waiting.size === 0) return;
    if (this.#rampTimer === undefined) {
      this.#ramp.restart();
      this.#rampTimer = this.#options.clock.after(RAMP_MS, this.#adjust);
    }
    for (const [key, queue] of this.#waiting) {
      const kind = this.#kindOf(queue);
      const busy = this.#busy.get(key) ?? 0;
      // A queue that has all its turns stays in line; the end of one of them looks here again.
      if (kind === undefined || busy >= kind.turns || !this.#hasPlace(kind)) continue;
      this.#waiting.delete(key);
      void this.#take(key, queue, kind);
    }
  }

  #hasPlace({ waits = false }: KindOptions): boolean {
    let taken = 0;
    for (const turn of this.#turns) if (turn.waits === waits) taken++;
    if (waits) return taken < (this.#options.waiting ?? 256);
    if (taken < this.#ramp.places) return true;
    this.#full = true;
    return false;
  }

  readonly #adjust = (): void => {
    this.#rampTimer = undefined;
    if (this.#waiting.size === 0 && this.#turns.size === 0) return;
    let long = 0;
    for (const turn of this.#turns) {
      if (turn.long && !turn.waits) long++;
      turn.long = true;
    }
    this.#ramp.adjust(this.#full, long);
    this.#full = false;
    this.#rampTimer = this.#options.clock.after(RAMP_MS, this.#adjust);
    this.#pump();
  };

  async #take(key: string, queue: QueueName, kind: KindOptions): Promise<void> {
    const { clock, onError } = this.#options;
    const { waits = false } = kind;
    const turn: Turn = { queue, waits, held: new Set(), long: false, leasedUntil: clock.now() + LEASE_MS };
    this.#turns.add(turn);
    this.#busy.set(key, (this.#busy.get(key) ?? 0) + 1);
    try {
      const messages = await this.#options.queue.receive(queue, kind.batch, LEASE_MS);
      turn.leasedUntil = clock.now() + LEASE_MS;
      // Taken as many as were asked for: there may be more, after the others' turns.
      if (messages.length === kind.batch) this.#waiting.set(key, queue);
      for (const message of messages) turn.held.add(message);
      if (messages.length > 0 && !this.#closed)
        await kind.work(
          queue,
          messages.map((message) => this.#lease(turn, message)),
        );
    } catch (error) {
      // The leases end by themselves, and the messages come again.
      onError(error);
    } finally {
      this.#turns.delete(turn);
      const left = (this.#busy.get(key) ?? 1) - 1;
      if (left === 0) this.#busy.delete(key);
      else this.#busy.set(key, left);
      if (this.#closed) {
        if (this.#turns.size === 0) this.#drained?.();
      } else this.#pump();
    }
  }

  #lease(turn: Turn, message: LeasedMessage): Leased {
    const { queue } = this.#options;
    return {
      body: message.body,
      async ack() {
        turn.held.delete(message);
        await queue.ack(turn.queue, message.id, message.lease);
      },
      async putBack(delayMs, body) {
        turn.held.delete(message);
        await queue.giveBack(turn.queue, message.id, message.lease, delayMs, body);
      },
    };
  }

  /** Finds what became due without an append (delays, ended leases, what an earlier process left) and keeps leases alive. */
  #sweep(): void {
    const { queue, clock, onError } = this.#options;
    try {
      for (const name of queue.queues([]))
        if (this.#kindOf(name) !== undefined && queue.depth(name).visible > 0) this.#ready(name);
    } catch (error) {
      onError(error);
    }
    const now = clock.now();
    for (const turn of this.#turns) {
      if (turn.leasedUntil - now > LEASE_MS / 2) continue;
      turn.leasedUntil = now + LEASE_MS;
      for (const { id, lease } of turn.held) queue.extend(turn.queue, id, lease, LEASE_MS).catch(onError);
    }
    if (!this.#closed) this.#sweepTimer = clock.after(SWEEP_MS, () => this.#sweep());
  }
}
