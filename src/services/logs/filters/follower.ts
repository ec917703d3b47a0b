import { AwsError } from "#core/errors";
import type { Clock, Timer } from "#core/clock";
import type { AggregatingMetricSink } from "#telemetry/metric-sink";
import type { Documents } from "#storage/documents";
import type { Journal } from "#storage/journal";
import { decodeLogRecord, logJournalStream } from "#telemetry/log-record";
import type { AwsCaller } from "#wire/operation";
import type { AppendedEvents } from "../ingestion.ts";
import type { LogStreamDocument, Scope } from "../store.ts";
import { MetricExtractor } from "./metric-values.ts";
import { Subscriber, type SubscribedEvent } from "./subscriber.ts";
import {
  filterKeys,
  groupsWithFilters,
  type CursorDocument,
  type FilterKind,
  type MetricFilterDocument,
  type SubscriptionFilterDocument,
} from "./store.ts";

/** Records that filters are given at a time. */
const BATCH = 1000;
/** Streams that are followed at the same time. */
const PARALLEL = 4;
/** A delivery that failed by no fault of its filter's is tried again: at first after a second, at last every five minutes. */
const FIRST_RETRY_MS = 1000;
const LAST_RETRY_MS = 300_000;
/** Groups whose filters are remembered, of those that have, or had, some. */
const REMEMBERED = 10_000;

export interface FollowerOptions {
  readonly documents: Documents;
  readonly journal: Journal;
  readonly clock: Clock;
  readonly metrics: Pick<AggregatingMetricSink, "series">;
  readonly caller: AwsCaller;
  readonly onError: (error: unknown) => void;
}

interface Filters {
  readonly metric: readonly MetricExtractor[];
  readonly subscription: readonly Subscriber[];
}

interface Following {
  readonly scope: Scope;
  readonly group: string;
  readonly stream: string;
  readonly kind: FilterKind;
  retryMs: number;
}

/**
 * Brings log events to metric and subscription filters, at least once: how far it has come in each stream is on disk, so
 * that it goes on there after a crash. Groups without filters cost a look-up for each batch of events, and no room.
 */
export class FilterFollower {
  readonly #options: FollowerOptions;
  readonly #filters = new Map<string, Filters | undefined>();
  /** The groups that have, or had, filters; undefined until the first events come. */
  #followed: Set<string> | undefined;
  /** Streams with events that were not looked at, in the order of their turns. */
  readonly #waiting = new Map<string, Following>();
  readonly #busy = new Set<string>();
  readonly #retries = new Set<Timer>();
  #closed = false;
  #idle: (() => void) | undefined;

  constructor(options: FollowerOptions) {
    this.#options = options;
  }

  /** To be called after events have been appended. */
  appended({ scope, group, stream }: AppendedEvents): void {
    const filters = this.#filtersOf(scope, group);
    if (filters === undefined) return;
    for (const kind of ["metric", "subscription"] as const)
      if (filters[kind].length > 0) this.#follow({ scope, group, stream, kind, retryMs: FIRST_RETRY_MS });
  }

  /** To be called after a group's filters have changed. */
  changed(scope: Scope, group: string): void {
    const key = keyOf(scope, group);
    this.#filters.delete(key);
    this.#followed?.add(key);
  }

  /** To be called after a group was deleted: another by its name has none of its filters. */
  forget(scope: Scope, group: string): void {
    const key = keyOf(scope, group);
    this.#filters.delete(key);
    this.#followed?.delete(key);
  }

  /** Takes up what an earlier process did not come to. */
  resume(accounts: Iterable<{ readonly scope: Scope; readonly group: string }>): void {
    for (const { scope, group } of accounts) {
      const parent = [scope.account, scope.region, "log-stream", group] as const;
      for (const { value } of this.#options.documents.list<LogStreamDocument>(parent))
        this.appended({ scope, group, stream: value.name, records: [] });
    }
  }

  reset(): void {
    this.#filters.clear();
    this.#followed = undefined;
    this.#waiting.clear();
  }

  /** Resolves once nothing is left to do, or under way after `stop`. */
  async idle(): Promise<void> {
    while (this.#busy.size > 0 || (!this.#closed && this.#waiting.size > 0))
      await new Promise<void>((resolve) => {
        this.#idle = resolve;
      });
  }

  async stop(): Promise<void> {
    this.#closed = true;
    for (const timer of this.#retries) timer.cancel();
    await this.idle();
  }

  #filtersOf(scope: Scope, group: string): Filters | undefined {
    const { documents, metrics, caller } = this.#options;
    this.#followed ??= new Set(
      Array.from(groupsWithFilters(documents), (each) => keyOf(each.scope, each.group)),
    );
    const key = keyOf(scope, group);
    if (!this.#followed.has(key)) return undefined;
    if (this.#filters.has(key)) return this.#filters.get(key);
    const metric = [...documents.list<MetricFilterDocument>(filterKeys.metric(scope, group))];
    const subscription = [
      ...documents.list<SubscriptionFilterDocument>(filterKeys.subscription(scope, group)),
    ];
    const filters =
      metric.length + subscription.length === 0
        ? undefined
        : {
            metric: metric.map(({ value }) => new MetricExtractor(scope, value, metrics)),
            subscription: subscription.map(({ value }) => new Subscriber(scope, value, caller)),
          };
    if (this.#filters.size >= REMEMBERED) this.#filters.clear();
    this.#filters.set(key, filters);
    return filters;
  }

  #follow(following: Following): void {
    if (this.#closed) return;
    const { scope, group, stream, kind } = following;
    this.#waiting.set(JSON.stringify([scope.account, scope.region, group, stream, kind]), following);
    this.#pump();
  }

  #pump(): void {
    for (const [key, following] of this.#waiting) {
      if (this.#closed || this.#busy.size >= PARALLEL) return;
      // One after the other in each stream: what comes meanwhile waits for its turn.
      if (this.#busy.has(key)) continue;
      this.#waiting.delete(key);
      this.#busy.add(key);
      void this.#run(following).finally(() => {
        this.#busy.delete(key);
        this.#pump();
        this.#idle?.();
      });
    }
  }

  async #run(following: Following): Promise<void> {
    try {
      while (!this.#closed && (await this.#step(following)));
    } catch (error) {
      if (this.#closed) return;
      if (!(error instanceof AwsError)) this.#options.onError(error);
      const timer = this.#options.clock.after(following.retryMs, () => {
        this.#retries.delete(timer);
        this.#follow({ ...following, retryMs: Math.min(LAST_RETRY_MS, following.retryMs * 2) });
      });
      this.#retries.add(timer);
    }
  }

  /** Brings the next records of a stream to its filters. @returns whether there may be more */
  async #step({ scope, group, stream, kind }: Following): Promise<boolean> {
    const { documents, journal } = this.#options;
    const filters = this.#filtersOf(scope, group)?.[kind] ?? [];
    if (filters.length === 0) return false;
    const key = filterKeys.cursor(scope, group, stream, kind);
    const name = logJournalStream(scope.account, scope.region, group, stream);
    const since = Math.min(...filters.map(({ filter }) => filter.created));
    const next = documents.get<CursorDocument>(key)?.value.next ?? (await firstSince(journal, name, since));
    const records = await journal.read(name, { afterSequence: next - 1, limit: BATCH });
    const last = records.at(-1);
    if (last === undefined) return false;
    const events = records.map(({ sequence, body }) => ({ ...decodeLogRecord(body), sequence }));
    for (const filter of filters) {
      const own = events.filter(({ ingestionTime }) => ingestionTime >= filter.filter.created);
      if (filter instanceof MetricExtractor) filter.take(own);
      else await this.#deliver(filter, scope, stream, own);
    }
    // The group may be gone meanwhile, and its cursors with it.
    const stays = documents.get([scope.account, scope.region, "log-stream", group, stream]) !== undefined;
    if (stays) await documents.commit([{ key, value: { next: last.sequence + 1 } satisfies CursorDocument }]);
    return stays && records.length === BATCH;
  }

  async #deliver(
    subscriber: Subscriber,
    scope: Scope,
    stream: string,
    events: readonly SubscribedEvent[],
  ): Promise<void> {
    const { clock } = this.#options;
    try {
      const sent = await subscriber.take(stream, events);
      if (sent.events > 0) {
        this.#count(subscriber, scope, "ForwardedLogEvents", sent.events, clock.now());
        this.#count(subscriber, scope, "ForwardedBytes", sent.bytes, clock.now());
      }
    } catch (error) {
      const throttled = error instanceof AwsError && error.code === "TooManyRequestsException";
      const name = throttled ? "DeliveryThrottling" : "DeliveryErrors";
      this.#count(subscriber, scope, name, events.length, clock.now());
      // What its owner has to mend is not tried again; the events are lost to this filter, as in AWS.
      if (!(error instanceof AwsError) || throttled || error.fault === "server") throw error;
    }
  }

  #count({ filter }: Subscriber, { account, region }: Scope, name: string, value: number, now: number): void {
    this.#options.metrics
      .series({
        account,
        region,
        namespace: "AWS/Logs",
        name,
        unit: name === "ForwardedBytes" ? "Bytes" : "Count",
        dimensions: { LogGroupName: filter.group, DestinationType: "Lambda", FilterName: filter.name },
      })
      .record(value, now);
  }
}

function keyOf({ account, region }: Scope, group: string): string {
  return `${account} ${region} ${group}`;
}

/** The sequence of the first record that came at or after a time: records lie in the order in which they came. */
async function firstSince(
  journal: Journal,
  name: ReturnType<typeof logJournalStream>,
  since: number,
): Promise<number> {
  const [oldest] = await journal.read(name, { limit: 1 });
  if (oldest === undefined) return 0;
  let [low, high] = [oldest.sequence, journal.info(name)?.nextSequence ?? 0];
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    const [record] = await journal.read(name, { afterSequence: middle - 1, limit: 1 });
    if (record !== undefined && decodeLogRecord(record.body).ingestionTime < since) low = middle + 1;
    else high = middle;
  }
  return low;
}
