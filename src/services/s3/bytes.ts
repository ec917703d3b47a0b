import { Readable } from "node:stream";
import type { Ids } from "#core/ids";
import type { Change, DocumentKey, Documents } from "#storage/documents";
import type { Objects } from "#storage/objects";
import { type Data, keys, type Scope } from "./store.ts";

export interface ObjectBytesOptions {
  readonly documents: Documents;
  readonly objects: Objects;
  readonly ids: Ids;
  readonly onError: (error: unknown) => void;
}

/** What is known of garbage: bytes in one piece, or an upload with its parts, and which run of the platform made it so. */
type Garbage = ({ readonly object: string } | { readonly upload: string }) & { readonly run: string };

/** A part of an upload, or of the object that was made of it. */
export interface PartDocument {
  readonly id: string;
  readonly size: number;
  readonly etag: string;
  readonly modified: number;
  /** In base64, by the upload's algorithm. */
  readonly checksum: string;
}

/** Documents that are read or removed in one turn of the event loop. */
const TURN = 500;

/**
 * The bytes of objects, so kept that none is ever lost sight of: a document says that they are garbage until an object's
 * document speaks of them, and again, by the same commit, from when the last one stops to. What a crash leaves is what
 * those documents name, and `sweep` removes it.
 */
export class ObjectBytes {
  readonly #options: ObjectBytesOptions;
  /** Tells this run's garbage, some of which is about to be kept, from what earlier ones left. */
  readonly #run: string;
  readonly #removals = new Set<Promise<void>>();

  constructor(options: ObjectBytesOptions) {
    this.#options = options;
    this.#run = options.ids.hex(16);
  }

  /**
   * Writes bytes and resolves with their id once they are on disk; they are garbage until a commit has `kept` of it.
   * Where the stream fails nothing is left.
   */
  async write(scope: Scope, bytes: AsyncIterable<Uint8Array>): Promise<string> {
    const { documents, objects, ids } = this.#options;
    const id = ids.hex(64);
    const noted = documents.commit([this.#garbage(scope, { kind: "whole", id })]);
    // The bytes are under their name only once the note is on disk; both take their time side by side.
    const [written, note] = await Promise.allSettled([objects.put(id, after(bytes, noted)), noted]);
    if (written.status === "fulfilled" && note.status === "fulfilled") return id;
    this.remove(scope, [{ kind: "whole", id }]);
    throw written.status === "rejected" ? written.reason : note.status === "rejected" ? note.reason : null;
  }

  /** For the commit that makes an object speak of these bytes. */
  kept(scope: Scope, id: string): Change {
    return { key: keys.garbage(scope, id), delete: true };
  }

  /** For the commit from which on no object speaks of them; call `remove` once it is on disk. */
  dropped(scope: Scope, data: Data): Change {
    return this.#garbage(scope, data);
  }

  #garbage(scope: Scope, data: Data): Change {
    const run = this.#run;
    return data.kind === "whole"
      ? { key: keys.garbage(scope, data.id), value: { object: data.id, run } satisfies Garbage }
      : { key: keys.garbage(scope, data.upload), value: { upload: data.upload, run } satisfies Garbage };
  }

  /** Gives the disk back, in the background. */
  remove(scope: Scope, data: readonly Data[]): void {
    for (const each of data)
      this.#track(
        each.kind === "whole" ? this.#removeWhole(scope, each.id) : this.#removeUpload(scope, each.upload),
      );
  }

  /** The bytes [start, end) of an object, read as they are asked for. */
  async open(
    scope: Scope,
    data: Data,
    range: { readonly start: number; readonly end: number },
  ): Promise<Readable> {
    const { objects } = this.#options;
    if (data.kind === "whole") return objects.open(data.id, range);
    // The first part is opened at once, so that what is missing is told before an answer has begun.
    const parts = this.#partsIn(scope, data.upload, range);
    const first = await parts.next();
    if (first.done === true) return Readable.from([], { objectMode: false });
    const opened = await objects.open(first.value.id, first.value);
    async function* rest(): AsyncGenerator<Uint8Array> {
      yield* opened as AsyncIterable<Uint8Array>;
      for await (const part of parts) yield* (await objects.open(part.id, part)) as AsyncIterable<Uint8Array>;
    }
    return Readable.from(rest(), { objectMode: false });
  }

  async *#partsIn(
    scope: Scope,
    upload: string,
    { start, end }: { readonly start: number; readonly end: number },
  ): AsyncGenerator<{ readonly id: string; readonly start: number; readonly end: number }> {
    let at = 0;
    for await (const { size, id } of this.parts(scope, upload)) {
      if (at >= end) return;
      const from = Math.max(start - at, 0);
      const to = Math.min(end - at, size);
      if (from < to) yield { id, start: from, end: to };
      at += size;
    }
  }

  /** The parts of an upload by number, some hundred a turn. */
  async *parts(
    scope: Scope,
    upload: string,
    afterNumber = 0,
  ): AsyncGenerator<PartDocument & { readonly number: number }> {
    let last = afterNumber;
    for (;;) {
      const page = Array.from(
        this.#options.documents.list<PartDocument>(keys.parts(scope, upload), {
          after: keys.part(scope, upload, last),
          limit: TURN,
        }),
        ({ key, value }) => ({ ...value, number: Number(key.at(-1)) }),
      );
      yield* page;
      const end = page.at(-1);
      if (end === undefined || page.length < TURN) return;
      last = end.number;
    }
  }

  /** Removes what earlier runs of the platform left as garbage. */
  async sweep(): Promise<void> {
    const { documents } = this.#options;
    for (const { key } of Array.from(documents.list(keys.places))) {
      const scope = { account: String(key[3]), region: String(key[4]) };
      let after: DocumentKey | undefined;
      for (;;) {
        const options = { limit: TURN, ...(after === undefined ? {} : { after }) };
        const page = Array.from(documents.list<Garbage>(keys.allGarbage(scope), options));
        const old = page.filter(({ value }) => value.run !== this.#run);
        await Promise.all(
          old.map(({ value }) =>
            "object" in value
              ? this.#removeWhole(scope, value.object)
              : this.#removeUpload(scope, value.upload),
          ),
        );
        after = page.at(-1)?.key;
        if (page.length < TURN) break;
      }
    }
  }

  /** Resolves when nothing is being removed. */
  async idle(): Promise<void> {
    while (this.#removals.size > 0) await Promise.all(this.#removals);
  }

  #track(removal: Promise<void>): void {
    const tracked = removal.catch(this.#options.onError).finally(() => this.#removals.delete(tracked));
    this.#removals.add(tracked);
  }

  async #removeWhole(scope: Scope, id: string): Promise<void> {
    const { documents, objects } = this.#options;
    await objects.remove(id);
    await documents.commit([{ key: keys.garbage(scope, id), delete: true }]);
  }

  async #removeUpload(scope: Scope, upload: string): Promise<void> {
    const { documents, objects } = this.#options;
    for (;;) {
      const page = Array.from(documents.list<PartDocument>(keys.parts(scope, upload), { limit: TURN }));
      await Promise.all(page.map(({ value }) => objects.remove(value.id)));
      const changes: Change[] = page.map(({ key }) => ({ key, delete: true }));
      const last = page.length < TURN;
      if (last) changes.push({ key: keys.garbage(scope, upload), delete: true });
      await documents.commit(changes);
      if (last) return;
    }
  }
}

/** The bytes as they are, but not their end before `noted` has resolved. */
async function* after(bytes: AsyncIterable<Uint8Array>, noted: Promise<unknown>): AsyncGenerator<Uint8Array> {
  yield* bytes;
  await noted;
}
