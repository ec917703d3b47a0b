import type { StoredEvent } from "./event-reader.ts";

/** One log stream's part in a search. */
export interface MergeSource {
  readonly stream: string;
  /** No event of the source is before this timestamp. */
  readonly earliest: number;
  open(): AsyncIterator<StoredEvent>;
}

export interface MergedEvent extends StoredEvent {
  readonly stream: string;
}

interface Entry {
  readonly source: MergeSource;
  readonly time: number;
  readonly next?: { readonly event: StoredEvent; readonly iterator: AsyncIterator<StoredEvent> };
}

/**
 * Events of many streams in order of timestamp, then stream name, then sequence. A stream is opened only when the
 * merge reaches its earliest event, so searching 100,000 streams of functions holds few of them open at a time.
 */
export async function* mergeEvents(sources: readonly MergeSource[]): AsyncGenerator<MergedEvent> {
  const heap = new Heap();
  for (const source of sources) heap.push({ source, time: source.earliest });
  for (;;) {
    const entry = heap.pop();
    if (entry === undefined) return;
    const { source } = entry;
    if (entry.next !== undefined) yield { ...entry.next.event, stream: source.stream };
    const iterator = entry.next?.iterator ?? source.open();
    const result = await iterator.next();
    if (result.done !== true)
      heap.push({ source, time: result.value.timestamp, next: { event: result.value, iterator } });
  }
}

/** Unopened sources come before events of the same time: they may hold one with a lower name. */
function comesBefore(a: Entry, b: Entry): boolean {
  if (a.time !== b.time) return a.time < b.time;
  if ((a.next === undefined) !== (b.next === undefined)) return a.next === undefined;
  return a.source.stream < b.source.stream;
}

class Heap {
  readonly #entries: Entry[] = [];

  push(entry: Entry): void {
    const entries = this.#entries;
    let index = entries.length;
    entries.push(entry);
    while (index > 0) {
      const parent = (index - 1) >> 1;
      const above = entries[parent];
      if (above === undefined || !comesBefore(entry, above)) break;
      entries[index] = above;
      index = parent;
    }
    entries[index] = entry;
  }

  pop(): Entry | undefined {
    const entries = this.#entries;
    const top = entries[0];
    const last = entries.pop();
    if (last === undefined || entries.length === 0) return top;
    let index = 0;
    for (;;) {
      let child = 2 * index + 1;
      let below = entries[child];
      if (below === undefined) break;
      const right = entries[child + 1];
      if (right !== undefined && comesBefore(right, below)) {
        child += 1;
        below = right;
      }
      if (!comesBefore(below, last)) break;
      entries[index] = below;
      index = child;
    }
    entries[index] = last;
    return top;
  }
}
