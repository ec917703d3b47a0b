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
  readonly streams: NameTable;
  readonly chunks: Table;
  readonly segments: Table;
  /** The next number of the folder's one counter: revisions, queue ids, message ids. Never goes back, not by a reset either. */
  next(): number;
  clear(): void;
}

export function openTables(path: string): Tables {
  const env = open<Buffer, Buffer>({
    path,
    noSubdir: true,
    maxDbs: 12,
    overlappingSync: false,
    cache: false,
  });
  const table = (name: string): Table =>
    env.openDB<Buffer, Buffer>({ name, encoding: "binary", keyEncoding: "binary" });
  const [documents, queues, messages, bodies] = ["documents", "queues", "messages", "bodies"].map(table) as [
    Table,
    Table,
    Table,
    Table,
  ];
  const [due, streams, chunks, segments] = ["due", "streams", "chunks", "segments"].map(table) as [
    Table,
    Table,
    Table,
    Table,
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
      for (const each of [documents, queues, messages, bodies, due, streams, chunks, segments])
        each.clearSync();
    },
  };
}
