import type { Clock, Timer } from "#core/clock";

/** Whose segments go together: those of one function, in the name of one role. The engine's FunctionSpec has this shape. */
export interface TraceOwner {
  readonly account: string;
  readonly region: string;
  readonly name: string;
  readonly roleArn: string;
}

export interface BatchingTraceSink {
  /** Takes a segment. Costs a push; it is made JSON when it is sent, where it is not a document already. */
  write(owner: TraceOwner, segment: object | string): void;
  /** Resolves once all segments taken before the call were sent, or dropped with a report. */
  flush(): Promise<void>;
  /** Sends what is left and takes no more. Idempotent. */
  close(): Promise<void>;
}

export interface TraceSinkOptions {
  readonly clock: Clock;
  /** Sends documents. @returns how many of them were not taken; rejects where none was */
  readonly send: (owner: TraceOwner, documents: readonly string[]) => Promise<number>;
  /** Told of segments that are lost. @param error what sending them failed with; undefined where they came too fast or were not taken */
  readonly onDropped: (count: number, owner: TraceOwner, error: unknown) => void;
  /** Milliseconds that a segment waits at most until it is sent. */
  readonly intervalMs?: number;
  /** Segments that wait at most; more are dropped. */
  readonly capacity?: number;
  /** The same for one owner. Default: as for all. */
  readonly ownerCapacity?: number;
}

/** As many as X-Ray's daemon sends at a time, but for long ones: whoever takes them reads them all at once. */
const BATCH = 50;
const BATCH_CHARACTERS = 128 * 1024;
/** A document counts as one segment more for each so many characters. */
const SEGMENT_CHARACTERS = 4096;

/**
 * Batches segments off the invoke path. One batch is sent at a time, so that many segments hold up neither the event loop
 * nor the calls of others; what cannot be sent is not tried again, as in AWS.
 */
export function createTraceSink(options: TraceSinkOptions): BatchingTraceSink {
  const { clock, send, onDropped } = options;
  const intervalMs = options.intervalMs ?? 1000;
  const capacity = options.capacity ?? 10_000;
  const ownerCapacity = options.ownerCapacity ?? capacity;

  let waiting = new Map<
    string,
    { readonly owner: TraceOwner; readonly segments: (object | string)[]; size: number; dropped: number }
  >();
  /** What was taken and neither sent nor dropped yet, in segments. */
  let size = 0;
  let timer: Timer | undefined;
  let running: Promise<void> | undefined;
  let closed = false;

  function write(owner: TraceOwner, segment: object | string): void {
    if (closed) return;
    const key = `${owner.account}\0${owner.region}\0${owner.name}\0${owner.roleArn}`;
    let batch = waiting.get(key);
    if (batch === undefined) {
      batch = { owner, segments: [], size: 0, dropped: 0 };
      waiting.set(key, batch);
    }
    if (size >= capacity || batch.size >= ownerCapacity) batch.dropped++;
    else {
      batch.segments.push(segment);
      batch.size += sizeOf(segment);
      size += sizeOf(segment);
    }
    timer ??= clock.after(intervalMs, () => {
      timer = undefined;
      void flush();
    });
  }

  /** Takes what is waiting and sends it. Never rejects. */
  async function sendOut(): Promise<void> {
    const batches = waiting;
    waiting = new Map();
    for (const { owner, segments, dropped } of batches.values()) {
      if (dropped > 0) onDropped(dropped, owner, undefined);
      for (const part of inBatches(segments)) {
        const documents = part.map((segment) =>
          typeof segment === "string" ? segment : JSON.stringify(segment),
        );
        try {
          const refused = await send(owner, documents);
          if (refused > 0) onDropped(refused, owner, undefined);
        } catch (error) {
          onDropped(documents.length, owner, error);
        } finally {
          for (const segment of part) size -= sizeOf(segment);
        }
      }
    }
  }

  function flush(): Promise<void> {
    timer?.cancel();
    timer = undefined;
    const before = running;
    if (before === undefined && waiting.size === 0) return Promise.resolve();
    const next = (async () => {
      await before;
      if (waiting.size > 0) await sendOut();
    })();
    running = next;
    return next.finally(() => {
      if (running === next) running = undefined;
    });
  }

  async function close(): Promise<void> {
    closed = true;
    await flush();
  }

  return { write, flush, close };
}

function* inBatches(segments: readonly (object | string)[]): Generator<readonly (object | string)[]> {
  let batch: (object | string)[] = [];
  let characters = 0;
  for (const segment of segments) {
    const length = typeof segment === "string" ? segment.length : 0;
    if (batch.length === BATCH || (batch.length > 0 && characters + length > BATCH_CHARACTERS)) {
      yield batch;
      batch = [];
      characters = 0;
    }
    batch.push(segment);
    characters += length;
  }
  if (batch.length > 0) yield batch;
}

function sizeOf(segment: object | string): number {
  return typeof segment === "string" ? 1 + Math.floor(segment.length / SEGMENT_CHARACTERS) : 1;
}
