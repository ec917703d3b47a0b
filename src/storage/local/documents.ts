import {
  RevisionConflict,
  type Change,
  type Document,
  type DocumentKey,
  type DocumentPrefix,
  type Documents,
  type ListOptions,
  type QueueAppend,
  type Watched,
} from "../documents.ts";
import type { LocalQueue } from "./queue.ts";
import type { Tables } from "./tables.ts";
import { encodeTuple, readU64, u64 } from "./tuple.ts";
import { Watchers } from "./watchers.ts";
import type { Writer } from "./writer.ts";

/** Documents in LMDB: a row is the revision, eight bytes, and the value as JSON. */
export class LocalDocuments implements Documents {
  readonly #tables: Tables;
  readonly #writer: Writer;
  readonly #queue: LocalQueue;
  readonly #watchers = new Watchers<Watched>();

  constructor(tables: Tables, writer: Writer, queue: LocalQueue) {
    this.#tables = tables;
    this.#writer = writer;
    this.#queue = queue;
  }

  get<T>(key: DocumentKey): Document<T> | undefined {
    const row = this.#tables.documents.get(key);
    return row && document<T>(key, row);
  }

  *list<T>(prefix: DocumentPrefix, options: ListOptions = {}): Iterable<Document<T>> {
    const elements = prefix.filter((element) => element !== undefined);
    for (const { key, value } of this.#tables.documents.range(elements, options))
      yield document<T>(key as unknown as DocumentKey, value);
  }

  async commit(changes: readonly Change[], append: readonly QueueAppend[] = []): Promise<readonly number[]> {
    checkKeys(changes, append);
    const texts = changes.map((change) => ("value" in change ? json(change) : undefined));
    const appending = this.#queue.prepare(append);
    const { documents } = this.#tables;
    const deletes = append.length === 0 && changes.every((change) => "delete" in change);
    const { revisions } = await this.#writer[deletes ? "shrink" : "run"](
      () => {
        // Every expectation is checked before the first write: see Writer.
        const olds = changes.map(({ key, expected }) => {
          const row = documents.get(key);
          const revision = row === undefined ? 0 : readU64(row, 0);
          if (expected !== undefined && expected !== revision) throw new RevisionConflict(key);
          return revision;
        });
        const revision = changes.length > 0 ? this.#tables.next() : 0;
        changes.forEach((change, index) => {
          const text = texts[index];
          if (text !== undefined) documents.put(change.key, Buffer.concat([u64(revision), text]));
          else if ("delete" in change && olds[index] !== 0) documents.remove(change.key);
        });
        appending.write();
        const revisions = changes.map((change) =>
          "value" in change ? revision : "check" in change ? change.expected : 0,
        );
        return { olds, revision, revisions };
      },
      ({ olds, revision }) => {
        changes.forEach((change, index) => {
          const { key } = change;
          const text = texts[index];
          if ("check" in change || (text === undefined && olds[index] === 0)) return;
          this.#watchers.notify(key, () => ({
            key,
            document: text && { key, value: JSON.parse(text.toString()) as unknown, revision },
          }));
        });
        appending.announce();
      },
    );
    return revisions;
  }

  watch(prefix: DocumentPrefix, listener: (change: Watched) => void): () => void {
    return this.#watchers.add(
      prefix.filter((element) => element !== undefined),
      listener,
    );
  }
}

function document<T>(key: DocumentKey, row: Buffer): Document<T> {
  return { key, value: JSON.parse(row.toString("utf8", 8)) as T, revision: readU64(row, 0) };
}

function json(change: { key: DocumentKey; value: unknown }): Buffer {
  // JSON.stringify is typed as if it always answered a string; of a function or undefined it does not.
  const text = JSON.stringify(change.value) as string | undefined;
  if (text === undefined) throw new TypeError(`value of ${JSON.stringify(change.key)} has no JSON form`);
  return Buffer.from(text);
}

function checkKeys(changes: readonly Change[], append: readonly QueueAppend[]): void {
  const seen = new Set<string>();
  for (const { key } of changes) {
    const encoded = encodeTuple(key).toString("latin1");
    if (seen.has(encoded)) throw new TypeError(`commit changes ${JSON.stringify(key)} twice`);
    seen.add(encoded);
  }
  const names = [...changes.map((change) => change.key), ...append.map((message) => message.queue)];
  const [first] = names;
  if (first === undefined) return;
  for (const name of names) {
    if (name.length < 3 || name.slice(0, 3).some((element) => typeof element !== "string"))
      throw new TypeError(`key must begin [account, region, kind]: ${JSON.stringify(name)}`);
    if (name[0] !== first[0] || name[1] !== first[1])
      throw new TypeError("all keys of a commit must share [account, region]");
  }
}
