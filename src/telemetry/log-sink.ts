import type { Clock, Timer } from "#core/clock";
import type { Journal, JournalRecord, StreamName } from "#storage/journal";
import { encodeLogRecord, logJournalStream } from "./log-record.ts";

/** The function that a line is of, and the role that it is written as. */
export interface LogWriter {
  readonly account: string;
  readonly name: string;
  /** Unqualified. */
  readonly arn: string;
  readonly roleArn: string;
}

/** A line of a function's log; the engine's `LogLine` has this shape. */
export interface SinkLine {
  readonly account: string;
  readonly region: string;
  readonly group: string;
  readonly stream: string;
  /** Epoch milliseconds. */
  readonly time: number;
  readonly message: string;
  readonly writer: LogWriter;
}

export interface BatchingLogSink {
  /** Takes a line. Costs a push; encoding and writing happen at the next flush. */
  write(line: SinkLine): void;
  /** Resolves once all lines taken before the call are on disk, or given up with a report to `onError`. */
  flush(): Promise<void>;
  /** Flushes and takes no more lines. Idempotent. */
  close(): Promise<void>;
}

export interface LogSinkOptions {
  readonly journal: Pick<Journal, "append">;
  readonly clock: Clock;
  /**
   * Makes the log group and stream of a batch where they are missing, before it is appended; false where its lines may
   * not be kept. The stream may already hold later lines than `first`, the first one of the batch.
   */
  readonly ensureStream: (first: SinkLine) => Promise<boolean>;
  /** Told of failed appends, of streams that cannot be made, and of dropped lines. */
  readonly onError: (error: Error) => void;
  /** Told how many lines were dropped, once for each stream and flush. */
  readonly onDropped?: (lines: number) => void;
  /** Milliseconds that a line waits at most; bounds the rate of fsyncs. */
  readonly intervalMs?: number;
  /** Flushes early once so many UTF-16 units are waiting. */
  readonly flushAt?: number;
  /** Drops lines while so many UTF-16 units are waiting or being written. */
  readonly capacity?: number;
}

interface Batch {
  readonly first: SinkLine;
  readonly name: StreamName;
  readonly records: JournalRecord[];
}

/**
 * What a waiting line costs besides its message, in bytes: its own object, and its record and buffer while it is being
 * written. Measured with five million lines of two characters; with less, the platform grew by 600 MB.
 */
const LINE_OVERHEAD = 320;

/** How many intervals a failed append waits before it is tried again. */
const RETRY_FACTOR = 10;

/**
 * Batches function log lines off the invoke path. Lines of one stream keep their order; lines that come during a
 * flush wait for the next one. A failed append is tried again at the next flush, so that a full disk costs lines only
 * once the memory bound is reached.
 */
export function createLogSink(options: LogSinkOptions): BatchingLogSink {
  const { journal, clock, ensureStream, onError } = options;
  const intervalMs = options.intervalMs ?? 200;
  const flushAt = options.flushAt ?? 4 << 20;
  const capacity = options.capacity ?? 64 << 20;

  let waiting: SinkLine[] = [];
  let waitingSize = 0;
  let writingSize = 0;
  /** The last dropped line of each stream and how many went with it. */
  let dropped = new Map<string, { last: SinkLine; count: number }>();
  let timer: Timer | undefined;
  let running: Promise<void> | undefined;
  let closed = false;
  /** After a failed append only the slower timer tries again, not every write. */
  let failing = false;

  function drop(line: SinkLine): void {
    const key = streamKey(line);
    const entry = dropped.get(key);
    if (entry === undefined) dropped.set(key, { last: line, count: 1 });
    else dropped.set(key, { last: line, count: entry.count + 1 });
  }

  function schedule(): void {
    timer ??= clock.after(failing ? intervalMs * RETRY_FACTOR : intervalMs, () => {
      timer = undefined;
      void flush();
    });
  }

  function write(line: SinkLine): void {
    if (closed) return;
    const size = line.message.length + LINE_OVERHEAD;
    if (waitingSize + writingSize + size > capacity) return drop(line);
    waiting.push(line);
    waitingSize += size;
    if (timer === undefined) schedule();
    if (waitingSize >= flushAt && running === undefined && !failing) void flush();
  }

  /** Takes what is waiting and writes it. Never rejects. */
  async function writeOut(): Promise<void> {
    const lines = waiting;
    const lost = dropped;
    waiting = [];
    dropped = new Map();
    writingSize = waitingSize;
    waitingSize = 0;
    for (const { last, count } of lost.values()) {
      lines.push({
        ...last,
        message: `[WARNING] ${count} log lines were dropped: they came faster than the disk took them.\n`,
      });
      options.onDropped?.(count);
      onError(new Error(`dropped ${count} log lines of ${last.group} ${last.stream}`));
    }
    try {
      const ready = await prepare(batch(lines, clock.now()));
      if (ready.length > 0) await journal.append(ready);
      failing = false;
    } catch (error) {
      failing = true;
      onError(asError(error));
      if (closed) onError(new Error(`lost ${lines.length} log lines: the journal could not be written`));
      else {
        waiting = [...lines, ...waiting];
        waitingSize += writingSize;
        schedule();
      }
    } finally {
      writingSize = 0;
    }
  }

  async function prepare(
    batches: Iterable<Batch>,
  ): Promise<{ stream: StreamName; records: JournalRecord[] }[]> {
    const ready: { stream: StreamName; records: JournalRecord[] }[] = [];
    for (const { first, name, records } of batches) {
      try {
        if (await ensureStream(first)) ready.push({ stream: name, records });
      } catch (error) {
        onError(
          new Error(`lost ${records.length} log lines of ${first.group} ${first.stream}`, { cause: error }),
        );
      }
    }
    return ready;
  }

  function flush(): Promise<void> {
    timer?.cancel();
    timer = undefined;
    const before = running;
    if (before === undefined && waiting.length === 0 && dropped.size === 0) return Promise.resolve();
    const next = (async () => {
      await before;
      if (waiting.length > 0 || dropped.size > 0) await writeOut();
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

function streamKey(line: SinkLine): string {
  return `${line.account}\0${line.region}\0${line.group}\0${line.stream}`;
}

/** Groups lines by stream and encodes them; times never fall within a stream's batch. */
function batch(lines: readonly SinkLine[], ingestionTime: number): Iterable<Batch> {
  const batches = new Map<string, Batch>();
  let current: Batch | undefined;
  for (const line of lines) {
    if (current === undefined || !sameStream(current.first, line)) {
      const key = streamKey(line);
      current = batches.get(key);
      if (current === undefined) {
        const name = logJournalStream(line.account, line.region, line.group, line.stream);
        current = { first: line, name, records: [] };
        batches.set(key, current);
      }
    }
    const time = Math.max(line.time, current.records.at(-1)?.time ?? 0);
    current.records.push({ time, body: encodeLogRecord(ingestionTime, time, line.message) });
  }
  return batches.values();
}

function sameStream(a: SinkLine, b: SinkLine): boolean {
  return a.stream === b.stream && a.group === b.group && a.account === b.account && a.region === b.region;
}

function asError(value: unknown): Error {
  return value instanceof Error ? value : new Error(String(value));
}
