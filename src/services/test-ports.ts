import type { Change, Document, DocumentKey, Documents } from "#storage/documents";
import { RevisionConflict } from "#storage/documents";
import type { Journal, StoredRecord, StreamName } from "#storage/journal";
import type { CallContext } from "#wire/operation";
import { rootPrincipal } from "#core/principal";

/** Documents and journal in memory, as the ports promise them and no more: for the services' unit tests alone. */
export function memoryPorts(): { documents: Documents; journal: Journal } {
  return { documents: memoryDocuments(), journal: memoryJournal() };
}

function compare(a: readonly (string | number)[], b: readonly (string | number)[]): number {
  for (let index = 0; index < Math.min(a.length, b.length); index++) {
    const [left, right] = [a[index] ?? "", b[index] ?? ""];
    if (typeof left !== typeof right) return typeof left === "number" ? -1 : 1;
    if (left !== right) return left < right ? -1 : 1;
  }
  return a.length - b.length;
}

function under(prefix: readonly (string | number | undefined)[], key: readonly (string | number)[]): boolean {
  return prefix.every((part, index) => part === key[index]);
}

function memoryDocuments(): Documents {
  const stored = new Map<string, Document>();
  let revision = 0;
  const write = (change: Change): number => {
    const id = JSON.stringify(change.key);
    if ("delete" in change) {
      stored.delete(id);
      return 0;
    }
    revision += 1;
    stored.set(id, { key: change.key, value: structuredClone(change.value), revision });
    return revision;
  };
  return {
    get: <T>(key: DocumentKey) => stored.get(JSON.stringify(key)) as Document<T> | undefined,
    *list<T>(
      prefix: readonly (string | number | undefined)[],
      options: { after?: DocumentKey; limit?: number; reverse?: boolean } = {},
    ) {
      const sign = options.reverse === true ? -1 : 1;
      const { after } = options;
      const found = [...stored.values()]
        .filter(({ key }) => under(prefix, key) && (after === undefined || sign * compare(key, after) > 0))
        .sort((a, b) => sign * compare(a.key, b.key));
      for (const document of found.slice(0, options.limit)) yield document as Document<T>;
    },
    async commit(changes) {
      for (const { key, expected } of changes)
        if (expected !== undefined && (stored.get(JSON.stringify(key))?.revision ?? 0) !== expected)
          throw new RevisionConflict(key);
      return changes.map(write);
    },
    watch: () => () => undefined,
  };
}

function memoryJournal(): Journal {
  const stored = new Map<string, { name: StreamName; records: StoredRecord[]; next: number }>();
  const records = (name: StreamName) => stored.get(JSON.stringify(name))?.records ?? [];
  return {
    async append(batches) {
      for (const { stream, records: added } of batches) {
        const entry = stored.get(JSON.stringify(stream)) ?? { name: stream, records: [], next: 0 };
        stored.set(JSON.stringify(stream), entry);
        for (const { time, body } of added)
          entry.records.push({
            time: Math.max(time, entry.records.at(-1)?.time ?? 0),
            body,
            sequence: entry.next++,
          });
      }
    },
    async read(name, { from = 0, to = Infinity, afterSequence, limit, reverse = false } = {}) {
      const sign = reverse ? -1 : 1;
      const found = records(name).filter(
        ({ time, sequence }) =>
          time >= from && time < to && (afterSequence === undefined || sign * (sequence - afterSequence) > 0),
      );
      return (reverse ? found.toReversed() : found).slice(0, limit);
    },
    info(name) {
      const entry = stored.get(JSON.stringify(name));
      if (entry === undefined) return undefined;
      return {
        firstTime: entry.records[0]?.time,
        lastTime: entry.records.at(-1)?.time,
        nextSequence: entry.next,
        bytes: entry.records.reduce((sum, { body }) => sum + body.byteLength, 0),
      };
    },
    streams: (prefix) => [...stored.values()].map(({ name }) => name).filter((name) => under(prefix, name)),
    async trim(name, before) {
      const entry = stored.get(JSON.stringify(name));
      if (entry !== undefined) entry.records = entry.records.filter(({ time }) => time >= before);
    },
    async remove(prefix) {
      for (const [id, { name }] of stored) if (under(prefix, name)) stored.delete(id);
    },
  };
}

export function testCall(account = "111111111111"): CallContext {
  return {
    requestId: "00000000-0000-4000-8000-000000000000",
    principal: rootPrincipal(account),
    account,
    region: "us-east-1",
    receivedAt: 0,
    baseUrl: "http://127.0.0.1:4566",
    headers: {},
    responseHeaders: {},
    signal: new AbortController().signal,
  };
}
