import { Rounds } from "#core/rounds";
import type { AggregatingMetricSink, SeriesAddress } from "#telemetry/metric-sink";
import type { Summary } from "#telemetry/summary";
import { setImmediate as nextTurn } from "node:timers/promises";
import { DAY, HOUR, MINUTE, SECOND } from "./layers.ts";
import { sortedDimensions, type Metric, type Scope } from "./metric.ts";
import { sweepScope } from "./retention.ts";
import { ScopedData, type ScopedDeps } from "./scoped.ts";
import { Scopes } from "./scopes.ts";

export interface MetricStoreOptions extends ScopedDeps {
  /** Metrics of the platform's own, which are taken out every second. */
  readonly sink: AggregatingMetricSink;
  /** Told of everything that is taken out of the sink. */
  readonly onDrained?: (address: SeriesAddress, summary: Summary) => void;
  readonly onError: (error: unknown) => void;
  /** Called at most once a minute with how many values could not be kept since the last time. */
  readonly onDropped: (values: number) => void;
  /** Points that memory may hold; about 300 bytes each. */
  readonly maxPoints?: number;
}

/** As much as a crash may lose. */
const LOG_MS = SECOND;

/** How long points stay in the log before they are worked into chunks. */
const SEAL_MS = 5 * MINUTE;

const SWEEP_MS = HOUR;

/** Of a value older than this, AWS says no. */
export const OLDEST_MS = 14 * DAY;

/** All metric data: takes values in, keeps them as long as AWS does, and knows where they are. */
export class MetricStore {
  readonly scopes: Scopes;
  readonly #options: MetricStoreOptions;
  readonly #maxPoints: number;
  readonly #data = new Map<string, ScopedData>();
  readonly #sealings = new Map<string, number>();
  /** One thing at a time happens to the data. */
  readonly #rounds: Rounds;
  #sealedAt: number;
  #sweptAt: number;
  #points = 0;
  #dropped = 0;
  #sinkDropped = 0;
  #toldAt = -Infinity;

  constructor(options: MetricStoreOptions) {
    this.#options = options;
    this.scopes = new Scopes(options.documents);
    this.#maxPoints = options.maxPoints ?? 400_000;
    const { clock, onError } = options;
    this.#sealedAt = clock.now();
    this.#sweptAt = clock.now();
    this.#rounds = new Rounds({ clock, everyMs: LOG_MS, round: () => this.#round(), onError });
  }

  /** Takes up what the last run logged, and begins to log. */
  start(): Promise<void> {
    return this.#rounds.start(async () => {
      for (const scope of this.scopes.list()) await this.#of(scope).recover();
    });
  }

  /**
   * Takes a summary of values into the minute (or second) of `time`.
   * @param time epoch milliseconds @param step 1,000 for high-resolution values
   * @returns false where there was no room for it
   */
  add(
    scope: Scope,
    metric: Metric,
    unit: string,
    time: number,
    summary: Summary,
    step: typeof SECOND | typeof MINUTE,
  ): boolean {
    if (this.#points >= this.#maxPoints) {
      this.#dropped += summary.count;
      return false;
    }
    this.#points += 1 + (summary.distribution?.size ?? 0) / 8;
    this.#of(scope).add(metric, unit, time, summary, step);
    return true;
  }

  /** Whether memory has room for more values. */
  get full(): boolean {
    return this.#points >= this.#maxPoints;
  }

  /** The points of an account and region that are not in chunks yet. */
  held(scope: Scope): ScopedData | undefined {
    return this.#data.get(nameOf(scope));
  }

  /** How often a scope's points began to be taken to chunks: a long read that saw one begin has to be made again. */
  sealings(scope: Scope): number {
    return this.#sealings.get(nameOf(scope)) ?? 0;
  }

  /** Makes everything that was recorded so far readable: values of the running minute, and their metrics' names. */
  settle(): Promise<void> {
    return this.#rounds.run(() => this.#log());
  }

  /** Works everything into chunks: the log is empty afterwards. */
  seal(): Promise<void> {
    return this.#rounds.run(() => this.#logAndSeal());
  }

  /** Deletes what is older than AWS keeps it. */
  sweep(): Promise<void> {
    return this.#rounds.run(async () => {
      await this.#logAndSeal();
      await this.#sweep();
    });
  }

  /** Forgets what is in memory, after storage was emptied. */
  reset(): void {
    for (const data of this.#data.values()) data.discard();
    this.#data.clear();
    this.#options.sink.drain();
    this.scopes.reset();
    this.#points = 0;
  }

  /** Writes what is left. */
  close(): Promise<void> {
    return this.#rounds.close(() => this.#logAndSeal());
  }

  #of(scope: Scope): ScopedData {
    const name = nameOf(scope);
    let data = this.#data.get(name);
    if (data === undefined)
      this.#data.set(
        name,
        (data = new ScopedData({ account: scope.account, region: scope.region }, this.#options)),
      );
    return data;
  }

  async #round(): Promise<void> {
    const now = this.#options.clock.now();
    await this.#log();
    // Half of the room is for what comes while the other half is worked on.
    if (now >= this.#sealedAt + SEAL_MS || this.#points > this.#maxPoints / 2) {
      await this.#seal();
      if (now >= this.#sweptAt + SWEEP_MS) await this.#sweep();
    }
    this.#tellDropped(now);
  }

  async #logAndSeal(): Promise<void> {
    await this.#log();
    await this.#seal();
  }

  async #log(): Promise<void> {
    await this.#drainSink();
    for (const data of this.#data.values()) {
      if (!data.pending) continue;
      await this.scopes.note(data.scope);
      await data.log();
    }
  }

  async #seal(): Promise<void> {
    this.#sealedAt = this.#options.clock.now();
    for (const [name, data] of this.#data) {
      this.#sealings.set(name, (this.#sealings.get(name) ?? 0) + 1);
      await data.seal();
      if (data.points === 0) this.#data.delete(name);
    }
    this.#points = [...this.#data.values()].reduce((sum, { points }) => sum + points, 0);
  }

  /**
   * Only once all is sealed: what comes later is too new for the hours that are deleted. A value of one of them would be
   * taken for all there is of its hour, as that is rolled up anew from its minutes.
   */
  async #sweep(): Promise<void> {
    this.#sweptAt = this.#options.clock.now();
    for (const scope of this.scopes.list())
      await sweepScope(this.#options.documents, scope, this.held(scope), this.#sweptAt);
  }

  async #drainSink(): Promise<void> {
    let drained = 0;
    for (const { address, minutes } of this.#options.sink.drain()) {
      const { account, region, namespace, name, unit } = address;
      const metric = { namespace, name, dimensions: sortedDimensions(Object.entries(address.dimensions)) };
      for (const { start, summary } of minutes) {
        this.#options.onDrained?.(address, summary);
        this.add({ account, region }, metric, unit, start, summary, MINUTE);
      }
      if (++drained % 200 === 0) await nextTurn();
    }
  }

  #tellDropped(now: number): void {
    const ofSink = this.#options.sink.dropped - this.#sinkDropped;
    const dropped = this.#dropped + ofSink;
    if (dropped === 0 || now < this.#toldAt + MINUTE) return;
    this.#toldAt = now;
    this.#sinkDropped += ofSink;
    this.#dropped = 0;
    this.#options.onDropped(dropped);
  }
}

function nameOf({ account, region }: Scope): string {
  return `${account}/${region}`;
}
