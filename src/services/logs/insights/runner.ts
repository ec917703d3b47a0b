import { bodiesOf, type RecordBlock } from "#storage/journal";
import { LogRecordView } from "#telemetry/log-record";
import type { EventOrigin } from "./event-row.ts";
import { RunningQuery, type QueryOutcome } from "./run.ts";

export interface QueryText {
  readonly text: string;
  /** Rows of the result at most. */
  readonly limit: number;
  /** Epoch milliseconds, for now(). */
  readonly now: number;
  /** First and last timestamp of the events that it looks at, both inclusive; epoch milliseconds. */
  readonly from: number;
  readonly to: number;
}

/** Blocks of one log stream. */
export interface StreamBlocks {
  readonly account: string;
  readonly group: string;
  readonly stream: string;
  readonly blocks: readonly RecordBlock[];
}

/** Runs one query, here or in a thread of its own. */
export interface QueryRunner {
  /** Called once, before the others. @throws QueryError */
  start(query: QueryText): Promise<void>;
  push(blocks: StreamBlocks): Promise<void>;
  finish(): Promise<QueryOutcome>;
  /** Ends it, whatever it is doing; what is under way rejects. Idempotent. */
  close(): Promise<void>;
}

/** Runs a query in the calling thread. */
export class LocalRunner implements QueryRunner {
  #query: RunningQuery | undefined;
  #from = 0;
  #to = 0;

  async start({ text, limit, now, from, to }: QueryText): Promise<void> {
    this.#query = new RunningQuery(text, now, limit);
    this.#from = from;
    this.#to = to;
  }

  async push({ account, group, stream, blocks }: StreamBlocks): Promise<void> {
    const query = this.#started;
    for (const block of blocks) this.#pushBlock(query, { account, group, stream }, block);
  }

  #pushBlock(query: RunningQuery, origin: EventOrigin, block: RecordBlock): void {
    const { buffer, byteOffset, byteLength } = block.bytes;
    const bytes = Buffer.from(buffer, byteOffset, byteLength);
    for (const { sequence, start, end } of bodiesOf(block)) {
      const record = new LogRecordView(bytes, start, end);
      const { timestamp } = record;
      if (timestamp >= this.#from && timestamp <= this.#to) query.push(origin, sequence, record);
    }
  }

  async finish(): Promise<QueryOutcome> {
    return this.#started.finish();
  }

  async close(): Promise<void> {
    this.#query = undefined;
  }

  get #started(): RunningQuery {
    if (this.#query === undefined) throw new Error("the query has not been started");
    return this.#query;
  }
}
