import { availableParallelism } from "node:os";
import type { Clock, Timer } from "#core/clock";
import { loopLoad } from "#engine/invocation/loop-load";
import { Ramp } from "#engine/invocation/ramp";
import type { QueueName } from "#storage/documents";
import type { LeasedMessage, Queue } from "#storage/queue";

/** Leases are short and extended while a message is worked on, so that a crash delays it for this long at most. */
const LEASE_MS = 15_000;
const SWEEP_MS = 1000;
/** So many queues are looked at in one go; where more wait for something, they are looked at less often. */
const SWEEP_QUEUES = 250;
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
  readonly line: Line;
  readonly held: Set<LeasedMessage>;
  /** Whether it ran already when the number of places was last reconsidered. */
  long: boolean;
  leasedUntil: number;
}

/** Queues that share places, in the order of their turns. */
class Line {
  readonly waiting = new Map<string, QueueName>();
  /** Turns under way. */
  taken = 0;
}

/** Works durable queues off: the queues in turns, so that none waits for another's backlog. */
export class Worker {
  readonly #options: WorkerOptions;
  readonly #ramp: Ramp;
  /** Work that keeps this process busy, and work that waits for others. */
  readonly #working = new Line();
  readonly #waiting = new Line();
  /** How many turns of each queue are under way. */
  readonly #busy = new Map<string, number>();
  /** Queues that have all their turns and may hold more: they line up again when one of those ends. */
  readonly #again = new Set<string>();
  readonly #turns = new Set<Turn>();
  /** Whether a queue has waited for a place since the last look. */
  #full = false;
  #rampTimer: Timer | undefined;
  #sweepTimer: Timer | undefined;
  /** Queues that are still to be looked at in this round. */
  #round: readonly QueueName[] = [];
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
    const kind = this.#kindOf(queue);
    if (this.#closed || kind === undefined) return;
    this.#lineUp(JSON.stringify(queue), queue, kind);
    this.#pump();
  }

  #lineUp(key: string, queue: QueueName, kind: KindOptions): void {
    if ((this.#busy.get(key) ?? 0) >= kind.turns) this.#again.add(key);
    else this.#lineOf(kind).waiting.set(key, queue);
  }

  #lineOf({ waits = false }: KindOptions): Line {
    return waits ? this.#waiting : this.#working;
  }

  #pump(): void {
    if (this.#closed) return;
    if (this.#working.waiting.size > 0 && this.#rampTimer === undefined) {
      this.#ramp.restart();
      this.#rampTimer = this.#options.clock.after(RAMP_MS, this.#adjust);
    }
    if (!this.#serve(this.#working, this.#ramp.places)) this.#full = true;
    this.#serve(this.#waiting, this.#options.waiting ?? 256);
  }

  /** Starts turns while there are places. @returns whether nobody was left waiting */
  #serve(line: Line, places: number): boolean {
    for (const [key, queue] of line.waiting) {
      if (line.taken >= places) return false;
      line.waiting.delete(key);
      const kind = this.#kindOf(queue);
      if (kind !== undefined) void this.#take(key, queue, kind);
    }
    return true;
  }

  readonly #adjust = (): void => {
    this.#rampTimer = undefined;
    const line = this.#working;
    if (line.waiting.size === 0 && line.taken === 0) return;
    let long = 0;
    for (const turn of this.#turns) {
      if (turn.long && turn.line === line) long++;
      turn.long = true;
    }
    this.#ramp.adjust(this.#full, long);
    this.#full = false;
    this.#rampTimer = this.#options.clock.after(RAMP_MS, this.#adjust);
    this.#pump();
  };

  async #take(key: string, queue: QueueName, kind: KindOptions): Promise<void> {
    const { clock, onError } = this.#options;
    const line = this.#lineOf(kind);
    const turn: Turn = { queue, line, held: new Set(), long: false, leasedUntil: clock.now() + LEASE_MS };
    this.#turns.add(turn);
    line.taken++;
    this.#busy.set(key, (this.#busy.get(key) ?? 0) + 1);
    try {
      const messages = await this.#options.queue.receive(queue, kind.batch, LEASE_MS);
      turn.leasedUntil = clock.now() + LEASE_MS;
      for (const message of messages) turn.held.add(message);
      // Taken as many as were asked for: there may be more, after the others' turns.
      if (messages.length === kind.batch && !this.#closed) {
        this.#lineUp(key, queue, kind);
        this.#pump();
      }
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
      line.taken--;
      const left = (this.#busy.get(key) ?? 1) - 1;
      if (left === 0) this.#busy.delete(key);
      else this.#busy.set(key, left);
      if (this.#again.delete(key)) line.waiting.set(key, queue);
      if (!this.#closed) this.#pump();
      else if (this.#turns.size === 0) this.#drained?.();
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
      if (this.#round.length === 0)
        this.#round = queue.queues([]).filter((name) => this.#kindOf(name) !== undefined);
      for (const name of this.#round.slice(0, SWEEP_QUEUES))
        if (queue.depth(name).visible > 0) this.#ready(name);
      this.#round = this.#round.slice(SWEEP_QUEUES);
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
