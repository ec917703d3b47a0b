import type { Clock } from "#core/clock";
import type { Change, Documents } from "#storage/documents";
import { RevisionConflict } from "#storage/documents";
import type { Journal, JournalRecord } from "#storage/journal";
import { logJournalStream } from "#telemetry/log-record";
import { revise } from "../revise.ts";
import type { LogStreamDocument, Scope } from "./store.ts";
import { groupKey, streamKey } from "./store.ts";

/** What was appended to one stream. */
export interface AppendedEvents {
  readonly scope: Scope;
  readonly group: string;
  readonly stream: string;
  readonly records: readonly JournalRecord[];
}

export interface IngestionDeps {
  readonly documents: Documents;
  readonly journal: Journal;
  readonly clock: Clock;
}

/** What writers of log events need, whether they come over HTTP or from the platform's own log sink. */
export interface Ingestion {
  /**
   * Makes group and stream where they are missing, as Lambda does for its functions, and notes where events from
   * `earliest` (epoch ms) on come after later ones. Cheap where there is nothing to do: two local reads.
   */
  ensureStream(
    account: string,
    region: string,
    group: string,
    stream: string,
    earliest: number,
  ): Promise<void>;
  /** What of a stream is not there yet: it alone, or its group, too. */
  missing(scope: Scope, group: string, stream: string): "group" | "stream" | undefined;
  ensureGroup(scope: Scope, group: string): Promise<void>;
  /** Must be called, and awaited, before events older than the stream's last one are appended. */
  noteLateness(scope: Scope, group: string, stream: string, earliest: number): Promise<void>;
  /** Appends events to log streams' journals; resolves once they are on disk. Followers are told then. */
  append(batches: Parameters<Journal["append"]>[0]): Promise<void>;
  /** Has a listener told of all that is appended. */
  follow(listener: (events: AppendedEvents) => void): void;
  /** The changes that make a stream, once what a deleted one of that name may have left is gone. */
  newStream(scope: Scope, group: string, stream: string): Promise<Change>;
}

export function createIngestion({ documents, journal, clock }: IngestionDeps): Ingestion {
  async function newStream(scope: Scope, group: string, stream: string): Promise<Change> {
    const name = logJournalStream(scope.account, scope.region, group, stream);
    // A crash between deleting a stream's document and its events leaves the events behind.
    if (journal.info(name) !== undefined) await journal.remove(name);
    const value: LogStreamDocument = { name: stream, creationTime: clock.now() };
    return { key: streamKey(scope, group, stream), value, expected: 0 };
  }

  async function noteLateness(scope: Scope, group: string, stream: string, earliest: number): Promise<void> {
    const last = journal.info(logJournalStream(scope.account, scope.region, group, stream))?.lastTime;
    if (last === undefined || earliest >= last) return;
    const key = streamKey(scope, group, stream);
    const lateness = last - earliest;
    await revise<LogStreamDocument>(documents, key, (current) =>
      current === undefined || (current.value.lateness ?? 0) >= lateness
        ? []
        : [{ key, value: { ...current.value, lateness } }],
    );
  }

  function newGroup(scope: Scope, group: string): Change {
    const value = { name: group, creationTime: clock.now(), class: "STANDARD", tags: {} };
    return { key: groupKey(scope, group), value, expected: 0 };
  }

  function missing(scope: Scope, group: string, stream: string): "group" | "stream" | undefined {
    if (documents.get(streamKey(scope, group, stream)) !== undefined) return undefined;
    return documents.get(groupKey(scope, group)) === undefined ? "group" : "stream";
  }

  async function ensureGroup(scope: Scope, group: string): Promise<void> {
    if (documents.get(groupKey(scope, group)) !== undefined) return;
    try {
      await documents.commit([newGroup(scope, group)]);
    } catch (error) {
      // Somebody else's request made it.
      if (!(error instanceof RevisionConflict)) throw error;
    }
  }

  async function ensureStream(
    account: string,
    region: string,
    group: string,
    stream: string,
    earliest: number,
  ): Promise<void> {
    const scope = { account, region };
    while (documents.get(streamKey(scope, group, stream)) === undefined) {
      const changes: Change[] = [await newStream(scope, group, stream)];
      if (documents.get(groupKey(scope, group)) === undefined) changes.push(newGroup(scope, group));
      try {
        await documents.commit(changes);
      } catch (error) {
        if (!(error instanceof RevisionConflict)) throw error;
      }
    }
    await noteLateness(scope, group, stream, earliest);
  }

  const listeners: ((events: AppendedEvents) => void)[] = [];

  async function append(batches: Parameters<Journal["append"]>[0]): Promise<void> {
    await journal.append(batches);
    for (const { stream: name, records } of batches) {
      const [account, region, , group = "", stream = ""] = name;
      for (const listener of listeners) listener({ scope: { account, region }, group, stream, records });
    }
  }

  const follow = (listener: (events: AppendedEvents) => void): void => void listeners.push(listener);

  return { ensureStream, missing, ensureGroup, noteLateness, append, follow, newStream };
}
