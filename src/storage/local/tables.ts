import { open, type Database, type RootDatabase } from "lmdb";

import { NameTable } from "./name-table.ts";
import { readU64, u64 } from "./tuple.ts";

export type Table = Database<Buffer, Buffer>;

/** The tables of the data folder's one LMDB environment. */
export interface Tables {
  readonly env: RootDatabase;
  readonly documents: NameTable;
  /** Queue name -> id and counters; a row is there as long as the queue holds a message. */
  readonly queues: NameTable;
  readonly messages: Table;
  readonly bodies: Table;
  readonly due: Table;
  /** Queue id, group and sequence of grouped messages: the first of a group is its head. */
  readonly groups: Table;
  /** Queue id, time and sequence of messages that are older than their place in `messages` tells. */
  readonly ages: Table;
  /** Queue name and key of what may be appended once in a while -> until when, and the message's sequence. */
  readonly once: NameTable;
  /** When rows of `once` end -> their keys. */
  readonly onceEnds: Table;
  /** Ids of purged queues whose rows have not all been removed yet. */
  readonly purged: Table;
  readonly streams: NameTable;
  readonly chunks: Table;
  readonly segments: Table;
  /** The next number of the folder's one counter: revisions, queue ids, message ids. Never goes back, not by a reset either. */
  next(): number;
  clear(): void;
}

/**
 * Addresses for so many bytes, not memory. lmdb 3.5.6 maps a file that outgrows its map anew, twice as large, and keeps the
 * maps before it until the end: with its own first map of 128 KB, a file takes up to twice its size of resident memory.
 */
const MAP_BYTES = 16 * 2 ** 30;

export function openTables(path: string): Tables {
  const env = open<Buffer, Buffer>({
    path,
    noSubdir: true,
    maxDbs: 20,
    mapSize: MAP_BYTES,
    overlappingSync: false,
    cache: false,
  });
  const table = (name: string): Table =>
    env.openDB<Buffer, Buffer>({ name, encoding: "binary", keyEncoding: "binary" });
  const [documents, streams, chunks, segments] = [
    table("documents"),
    table("streams"),
    table("chunks"),
    table("segments"),
  ];
  const [queues, messages, bodies, due] = [table("queues"), table("messages"), table("bodies"), table("due")];
  const [groups, ages, once, onceEnds, purged] = [
    table("groups"),
    table("ages"),
    table("once"),
    table("once-ends"),
    table("purged"),
  ];
  const counters = table("counters");
  const counter = Buffer.from("next");
  return {
    env,
    documents: new NameTable(documents),
    queues: new NameTable(queues),
    messages,
    bodies,
    due,
    groups,
    ages,
    once: new NameTable(once),
    onceEnds,
    purged,
    streams: new NameTable(streams),
    chunks,
    segments,
    next() {
      const stored = counters.get(counter);
      const number = stored === undefined ? 1 : readU64(stored, 0) + 1;
      counters.putSync(counter, u64(number));
      return number;
    },
    clear() {
      for (const each of [documents, queues, messages, bodies, due, groups, ages, once, onceEnds, purged])
        each.clearSync();
      for (const each of [streams, chunks, segments]) each.clearSync();
    },
  };
}
