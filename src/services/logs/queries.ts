import type { QueryStatus } from "@aws-sdk/client-cloudwatch-logs";
import type { Clock, Timer } from "#core/clock";
import type { Ids } from "#core/ids";
import type { Documents } from "#storage/documents";
import type { Journal, RecordBlock } from "#storage/journal";
import { logJournalStream } from "#telemetry/log-record";
import type { QueryOutcome } from "./insights/run.ts";
import type { QueryRunner, StreamBlocks } from "./insights/runner.ts";
import { retainedFrom } from "./retention.ts";
import { groupKey, type LogGroupDocument, type LogStreamDocument, type Scope } from "./store.ts";

/** "Queries time out after 60 minutes of runtime" (CloudWatch Logs quotas). */
const TIMEOUT_MS = 3_600_000;
/** Queries that run at the same time; others wait. Each has a thread. */
const PARALLEL = 2;
/** Queries whose results are kept, the latest. They are in memory alone, as they can be asked again. */
const KEPT = 200;
/** Blocks are given to a query in portions of so many bytes. */
const PORTION_BYTES = 2 << 20;

export interface QueryRequest {
  readonly scope: Scope;
  readonly groups: readonly string[];
  readonly text: string;
  readonly limit: number;
  /** Epoch milliseconds, both inclusive. */
  readonly from: number;
  readonly to: number;
}

/** A query that was started, and what became of it. */
export interface StartedQuery {
  readonly id: string;
  readonly request: QueryRequest;
  /** Epoch milliseconds. */
  readonly created: number;
  status: QueryStatus;
  endedAt: number | undefined;
  outcome: QueryOutcome | undefined;
}

export interface QueriesOptions {
  readonly documents: Documents;
  readonly journal: Journal;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly openRunner: () => QueryRunner;
  readonly onError: (error: unknown) => void;
}

/** The queries of Logs Insights on this node. */
export class Queries {
  readonly #options: QueriesOptions;
  readonly #queries = new Map<string, StartedQuery>();
  readonly #waiting: StartedQuery[] = [];
  readonly #running = new Map<StartedQuery, QueryRunner>();
  #closed = false;

  constructor(options: QueriesOptions) {
    this.#options = options;
  }

  /** The text has been checked: see `parseQuery`. */
  start(request: QueryRequest): StartedQuery {
    const { clock, ids } = this.#options;
    const query: StartedQuery = {
      id: ids.uuid(),
      request,
      created: clock.now(),
      status: "Scheduled",
      endedAt: undefined,
      outcome: undefined,
    };
    this.#queries.set(query.id, query);
    this.#forgetOldest();
    this.#waiting.push(query);
    this.#next();
    return query;
  }

  get(scope: Scope, id: string): StartedQuery | undefined {
    const query = this.#queries.get(id);
    return query !== undefined && isOf(query, scope) ? query : undefined;
  }

  /** Latest first. */
  list(scope: Scope): readonly StartedQuery[] {
    return [...this.#queries.values()].filter((query) => isOf(query, scope)).toReversed();
  }

  /** @returns whether it was scheduled or running */
  stop(query: StartedQuery): boolean {
    if (query.status !== "Scheduled" && query.status !== "Running") return false;
    this.#end(query, "Cancelled");
    return true;
  }

  reset(): void {
    for (const query of this.#queries.values()) this.stop(query);
    this.#queries.clear();
  }

  async close(): Promise<void> {
    this.#closed = true;
    const runners = [...this.#running.values()];
    this.reset();
    await Promise.all(runners.map((runner) => runner.close()));
  }

  #next(): void {
    while (!this.#closed && this.#running.size < PARALLEL) {
      const query = this.#waiting.shift();
      if (query === undefined) return;
      if (query.status === "Scheduled") void this.#run(query);
    }
  }

  async #run(query: StartedQuery): Promise<void> {
    const { clock, openRunner, onError } = this.#options;
    const runner = openRunner();
    this.#running.set(query, runner);
    query.status = "Running";
    const timer: Timer = clock.after(TIMEOUT_MS, () => this.#end(query, "Timeout"));
    try {
      const { text, limit, from, to } = query.request;
      await runner.start({ text, limit, from, to, now: query.created });
      await this.#scan(query, runner);
      query.outcome = await runner.finish();
      this.#end(query, "Complete");
    } catch (error) {
      if (query.status === "Running") {
        this.#end(query, "Failed");
        onError(error);
      }
    } finally {
      timer.cancel();
      this.#running.delete(query);
      await runner.close().catch(onError);
      this.#next();
    }
  }

  async #scan(query: StartedQuery, runner: QueryRunner): Promise<void> {
    const { documents, journal, clock } = this.#options;
    const { scope, groups, from, to } = query.request;
    // While a portion is looked at, the next one is read.
    let lookedAt: Promise<void> = Promise.resolve();
    const push = async (blocks: StreamBlocks): Promise<void> => {
      await lookedAt;
      lookedAt = runner.push(blocks);
      // It is awaited with the next one; a query that ends before that asks for none.
      lookedAt.catch(() => undefined);
    };
    for (const group of groups) {
      const document = documents.get<LogGroupDocument>(groupKey(scope, group));
      if (document === undefined) continue;
      const start = Math.max(from, retainedFrom(document.value, clock.now()));
      const { account, region } = scope;
      const streams = [...documents.list<LogStreamDocument>([account, region, "log-stream", group])];
      for (const { value } of streams) {
        const stream = value.name;
        // An event may lie behind later ones: see `LogStreamDocument`.
        const range = { from: start, to: to + 1 + (value.lateness ?? 0) };
        let portion: RecordBlock[] = [];
        let bytes = 0;
        for await (const block of journal.scan(logJournalStream(account, region, group, stream), range)) {
          if (query.status !== "Running") return;
          portion.push(block);
          bytes += block.bytes.length;
          if (bytes < PORTION_BYTES) continue;
          await push({ account, group, stream, blocks: portion });
          [portion, bytes] = [[], 0];
        }
        if (portion.length > 0) await push({ account, group, stream, blocks: portion });
      }
    }
    await lookedAt;
  }

  #end(query: StartedQuery, status: QueryStatus): void {
    if (query.status !== "Running" && query.status !== "Scheduled") return;
    query.status = status;
    query.endedAt = this.#options.clock.now();
    if (status !== "Complete") void this.#running.get(query)?.close().catch(this.#options.onError);
  }

  #forgetOldest(): void {
    for (const [id, query] of this.#queries) {
      if (this.#queries.size <= KEPT) return;
      if (query.endedAt !== undefined) this.#queries.delete(id);
    }
  }
}

function isOf({ request }: StartedQuery, scope: Scope): boolean {
  return request.scope.account === scope.account && request.scope.region === scope.region;
}
