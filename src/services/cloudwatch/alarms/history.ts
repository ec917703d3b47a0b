import type * as client from "@aws-sdk/client-cloudwatch";
import type { Journal, StreamName } from "#storage/journal";
import { DAY } from "../data/layers.ts";
import type { Scope } from "../data/metric.ts";
import type { Contributor } from "./contributors.ts";

/** How long AWS keeps an alarm's history (user guide, "Using Amazon CloudWatch alarms"). */
const KEEP_MS = 30 * DAY;

/** Records that are read before other work gets a turn. */
const PAGE = 500;

export interface HistoryItem {
  readonly name: string;
  readonly alarmType: client.AlarmType;
  readonly type: client.HistoryItemType;
  /** Of items about one of an alarm's series. */
  readonly contributor?: Contributor | undefined;
  readonly summary: string;
  /** JSON. */
  readonly data: string;
}

export interface StoredItem extends HistoryItem {
  /** Epoch milliseconds. */
  readonly time: number;
  readonly sequence: number;
}

export interface HistoryQuery {
  readonly from: number;
  readonly to: number;
  readonly descending: boolean;
  /** The last item of the page before. */
  readonly after: number | undefined;
  readonly limit: number;
  readonly wanted: (item: StoredItem) => boolean;
}

/** What happened to alarms: one stream an account and region. */
export class AlarmHistory {
  readonly #journal: Journal;

  constructor(journal: Journal) {
    this.#journal = journal;
  }

  async append(scope: Scope, time: number, items: readonly HistoryItem[]): Promise<void> {
    if (items.length === 0) return;
    const records = items.map((item) => ({ time, body: Buffer.from(JSON.stringify(item)) }));
    await this.#journal.append([{ stream: streamOf(scope), records }]);
  }

  /** Items in order of time, and the sequence to go on after where there may be more. */
  async read(
    scope: Scope,
    { from, to, descending, after, limit, wanted }: HistoryQuery,
  ): Promise<{ readonly items: readonly StoredItem[]; readonly next: number | undefined }> {
    const items: StoredItem[] = [];
    let last = after;
    for (;;) {
      const records = await this.#journal.read(streamOf(scope), {
        from: Math.max(0, from),
        to,
        limit: PAGE,
        reverse: descending,
        ...(last === undefined ? {} : { afterSequence: last }),
      });
      for (const { time, sequence, body } of records) {
        if (items.length === limit) return { items, next: last };
        const item = JSON.parse(Buffer.from(body).toString()) as HistoryItem;
        const stored = { ...item, time, sequence };
        if (wanted(stored)) items.push(stored);
        last = sequence;
      }
      if (records.length < PAGE) return { items, next: undefined };
    }
  }

  async trim(scope: Scope, now: number): Promise<void> {
    if (this.#journal.info(streamOf(scope)) !== undefined)
      await this.#journal.trim(streamOf(scope), now - KEEP_MS);
  }
}

function streamOf({ account, region }: Scope): StreamName {
  return [account, region, "alarm-history"];
}
