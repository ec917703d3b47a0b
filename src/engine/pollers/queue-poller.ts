import { setMaxListeners } from "node:events";
import type { Clock } from "#core/clock";
import { AwsError } from "#core/errors";
import { MAX_BATCH_BYTES, recordBytes, splitBySize, writeEvent } from "./batches.ts";
import type { PolledRecord, QueueMapping } from "./contract.ts";
import { failuresOf } from "./partial-failures.ts";
import type { Place, Places } from "./places.ts";
import { BatchScaling } from "./scaling.ts";

/** What one receive may take (SQS API reference, ReceiveMessage). */
const RECEIVE = 10;
/** After a throttle, and after a receive that was refused: doubled each time. */
const FIRST_PAUSE_MS = 200;
const MAX_THROTTLE_PAUSE_MS = 10_000;
const MAX_PROBLEM_PAUSE_MS = 60_000;
/** How often a full mapping looks whether it may run more. */
const FULL_MS = 200;

export interface QueuePollerOptions {
  readonly mapping: QueueMapping;
  readonly places: Places;
  readonly clock: Clock;
  /** Told of what no AWS error explains. */
  readonly onError: (error: unknown) => void;
}

interface Batch {
  readonly records: readonly PolledRecord[];
  /** Monotonic milliseconds. */
  readonly receivedAt: number;
}

/**
 * Reads a queue for one mapping: one reader gathers batches, each of which runs by itself. What a function fails on is
 * left to the queue, whose visibility timeout, receive count and redrive policy decide what becomes of it.
 */
export class QueuePoller {
  readonly #mapping: QueueMapping;
  readonly #options: QueuePollerOptions;
  readonly #scaling: BatchScaling;
  readonly #stop = new AbortController();
  /** Batches and removals under way. */
  readonly #work = new Set<Promise<void>>();
  #batches = 0;
  #freed: (() => void) | undefined;
  #problem: string | undefined;
  readonly #reading: Promise<void>;

  constructor(options: QueuePollerOptions) {
    this.#options = options;
    this.#mapping = options.mapping;
    // As many as batches may pause at once.
    setMaxListeners(0, this.#stop.signal);
    this.#scaling = new BatchScaling(options.mapping.scaling);
    this.#reading = this.#read().catch(options.onError);
  }

  /** Why the queue cannot be read, where it cannot. */
  get problem(): string | undefined {
    return this.#problem;
  }

  /** Whether batches are under way. */
  get busy(): boolean {
    return this.#batches > 0;
  }

  /** Takes no more messages; resolves once all batches have ended. */
  async stop(): Promise<void> {
    this.#stop.abort();
    this.#freed?.();
    await this.#reading;
    while (this.#work.size > 0) await Promise.all(this.#work);
  }

  get #stopped(): boolean {
    return this.#stop.signal.aborted;
  }

  async #read(): Promise<void> {
    const { source, windowMs } = this.#mapping;
    let nothing = false;
    let pause = FIRST_PAUSE_MS;
    while (!this.#stopped) {
      await source.ready(this.#stop.signal, nothing);
      await this.#room();
      // Messages are not to wait, hidden, for a place; but the gathering of a batch window needs none.
      const place = windowMs === 0 ? await this.#place() : undefined;
      if (this.#stopped) return place?.free();
      try {
        const batch = await this.#gather();
        pause = FIRST_PAUSE_MS;
        this.#problem = undefined;
        nothing = batch.records.length === 0;
        if (nothing) place?.free();
        else this.#start(batch, place);
      } catch (error) {
        place?.free();
        this.#problem = messageOf(error);
        await this.#pause(pause);
        pause = Math.min(MAX_PROBLEM_PAUSE_MS, pause * 2);
      }
    }
  }

  /** Receives until the batch is full or its window is over; once where it has none. Rejected records are removed. */
  async #gather(): Promise<Batch> {
    const { source, batchSize, windowMs } = this.#mapping;
    const { clock } = this.#options;
    const records: PolledRecord[] = [];
    let bytes = 0;
    let receivedAt = clock.monotonic();
    let nothing = false;
    for (;;) {
      const received = await source.receive(Math.min(RECEIVE, batchSize - records.length));
      if (records.length === 0) receivedAt = clock.monotonic();
      this.#count("PolledEventCount", received.length);
      for (const record of this.#filter(received)) {
        records.push(record);
        bytes += recordBytes(record);
      }
      nothing = received.length === 0;
      const left = receivedAt + windowMs - clock.monotonic();
      const full = records.length >= batchSize || bytes >= MAX_BATCH_BYTES;
      if (records.length === 0 || full || left <= 0 || this.#stopped) return { records, receivedAt };
      await this.#readyWithin(left, nothing);
    }
  }

  async #readyWithin(ms: number, nothing: boolean): Promise<void> {
    const over = new AbortController();
    const end = (): void => over.abort();
    const timer = this.#options.clock.after(ms, end);
    this.#stop.signal.addEventListener("abort", end);
    await this.#mapping.source.ready(over.signal, nothing);
    timer.cancel();
    this.#stop.signal.removeEventListener("abort", end);
  }

  /** AWS Lambda Developer Guide, "Using event filtering with an Amazon SQS event source": the others are deleted. */
  #filter(received: readonly PolledRecord[]): readonly PolledRecord[] {
    const { accepts, source } = this.#mapping;
    if (accepts === undefined) return received;
    const [taken, rejected] = partition(received, ({ filtered }) => accepts(filtered()));
    if (rejected.length > 0) {
      this.#count("FilteredOutEventCount", rejected.length);
      this.#track(source.remove(rejected));
    }
    return taken;
  }

  #start(batch: Batch, place: Place | undefined): void {
    this.#batches++;
    const run = this.#run(batch, place).finally(() => {
      this.#batches--;
      this.#freed?.();
    });
    this.#track(run);
  }

  #track(work: Promise<void>): void {
    const tracked = work.catch(this.#options.onError).finally(() => this.#work.delete(tracked));
    this.#work.add(tracked);
  }

  async #run({ records, receivedAt }: Batch, first: Place | undefined): Promise<void> {
    let place = first ?? (await this.#place());
    try {
      for (const part of splitBySize(records)) {
        const { admitted, stopped } = this.#mapping.target.admit(part);
        this.#count("FailedInvokeEventCount", stopped);
        let pause = FIRST_PAUSE_MS;
        let done = admitted.length === 0;
        while (!done && place !== undefined) {
          const outcome = await this.#invoke(admitted);
          if (outcome === "refused") {
            // Tried again, ever later, while the messages are hidden; then they are another receive's.
            this.#scaling.throttled();
            place.free();
            const hidden = receivedAt + (await this.#hiddenMs()) - this.#options.clock.monotonic();
            if (this.#stopped || pause >= hidden) return;
            await this.#pause(pause);
            pause = Math.min(MAX_THROTTLE_PAUSE_MS, pause * 2);
            place = await this.#place();
          } else {
            await this.#settle(admitted, outcome);
            done = true;
            // What follows in order must wait for what failed.
            if (this.#mapping.ordered && outcome.size > 0) return;
          }
        }
        if (this.#mapping.ordered && stopped > 0) return;
      }
    } finally {
      place?.free();
    }
  }

  /** The ids of records that failed, all of them where the function itself did; or that it could not be started now. */
  async #invoke(records: readonly PolledRecord[]): Promise<ReadonlySet<string> | "refused"> {
    const ids = new Set(records.map(({ id }) => id));
    this.#count("InvokedEventCount", records.length);
    try {
      const { functionError, payload } = await this.#mapping.target.invoke(records, writeEvent(records));
      if (functionError !== undefined) return ids;
      return this.#mapping.partial ? failuresOf(payload, ids) : new Set();
    } catch (error) {
      return isTransient(error) ? "refused" : ids;
    }
  }

  async #settle(records: readonly PolledRecord[], failed: ReadonlySet<string>): Promise<void> {
    this.#count("FailedInvokeEventCount", failed.size);
    const [, processed] = partition(records, ({ id }) => failed.has(id));
    if (processed.length === 0) return;
    await this.#mapping.source.remove(processed);
    this.#count("DeletedEventCount", processed.length);
  }

  #hiddenMs(): Promise<number> {
    return this.#mapping.source.hiddenMs().catch(() => 0);
  }

  #place(): Promise<Place | undefined> {
    return this.#options.places.take(this.#mapping.id);
  }

  /** Resolves once one more batch may run. */
  async #room(): Promise<void> {
    while (!this.#stopped && !this.#scaling.room(this.#batches, this.#options.clock.monotonic())) {
      await new Promise<void>((resolve) => {
        const timer = this.#options.clock.after(FULL_MS, resolve);
        this.#freed = () => {
          timer.cancel();
          resolve();
        };
      });
      this.#freed = undefined;
    }
  }

  /** Ends early where the poller is stopped. */
  #pause(ms: number): Promise<void> {
    if (this.#stopped) return Promise.resolve();
    return new Promise((resolve) => {
      const end = (): void => {
        timer.cancel();
        this.#stop.signal.removeEventListener("abort", end);
        resolve();
      };
      const timer = this.#options.clock.after(ms, end);
      this.#stop.signal.addEventListener("abort", end);
    });
  }

  #count(metric: Parameters<NonNullable<QueueMapping["count"]>>[0], events: number): void {
    if (events > 0) this.#mapping.count?.(metric, events);
  }
}

function partition<T>(items: readonly T[], test: (item: T) => boolean): [T[], T[]] {
  const [yes, no]: [T[], T[]] = [[], []];
  for (const item of items) (test(item) ? yes : no).push(item);
  return [yes, no];
}

/** Throttles, functions that are being created, and the platform's own errors. */
function isTransient(error: unknown): boolean {
  return error instanceof AwsError && (error.status >= 500 || error.status === 429 || error.status === 409);
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
