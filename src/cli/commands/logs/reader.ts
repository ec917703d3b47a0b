import type { CloudWatchLogsClient, FilteredLogEvent } from "@aws-sdk/client-cloudwatch-logs";

export interface Reading {
  readonly group: string;
  /** Whether a stream is to be read. */
  readonly owns: (stream: string) => boolean;
  readonly filter: string | undefined;
  /** Epoch milliseconds. */
  readonly from: number;
}

/**
 * How far back every look goes again. Streams are written by themselves: what one logged earlier may come later than
 * what another did, and in AWS takes seconds to be found.
 */
const OVERLAP_MS = 10_000;

/** So many ids are kept before it is looked for such as cannot come again: one look may be at a long past. */
const CROWDED = 10_000;

/** Reads a log group on from where it has come to. */
export class Reader {
  readonly group: string;
  /** Whether the last look found no such group. */
  missing = false;
  readonly #client: CloudWatchLogsClient;
  readonly #owns: (stream: string) => boolean;
  readonly #filter: string | undefined;
  readonly #first: number;
  #latest = 0;
  /** The events of the overlap that were given out, by id, with their times. */
  readonly #seen = new Map<string, number>();
  #crowded = CROWDED;

  constructor(client: CloudWatchLogsClient, { group, owns, filter, from }: Reading) {
    this.#client = client;
    this.#owns = owns;
    this.group = group;
    this.#filter = filter;
    this.#first = from;
  }

  /** Events that came since the last call. */
  async *news(): AsyncGenerator<FilteredLogEvent> {
    const { paginateFilterLogEvents, ResourceNotFoundException } =
      await import("@aws-sdk/client-cloudwatch-logs");
    const startTime = Math.max(this.#first, this.#latest - OVERLAP_MS);
    const request = { logGroupName: this.group, startTime, filterPattern: this.#filter };
    this.missing = false;
    this.#forget(startTime);
    try {
      for await (const { events = [] } of paginateFilterLogEvents({ client: this.#client }, request))
        for (const event of events)
          if (this.#owns(event.logStreamName ?? "") && this.#isNew(event)) yield event;
    } catch (error) {
      if (!(error instanceof ResourceNotFoundException)) throw error;
      this.missing = true;
    }
  }

  #isNew({ eventId = "", timestamp = 0 }: FilteredLogEvent): boolean {
    if (this.#seen.has(eventId)) return false;
    this.#latest = Math.max(this.#latest, timestamp);
    if (this.#seen.size >= this.#crowded) {
      this.#forget(this.#latest - OVERLAP_MS);
      this.#crowded = Math.max(CROWDED, this.#seen.size * 2);
    }
    this.#seen.set(eventId, timestamp);
    return true;
  }

  #forget(before: number): void {
    for (const [id, time] of this.#seen) if (time < before) this.#seen.delete(id);
  }
}
