/** A journal's stream: [account, region, kind, ...rest], such as ["000000000000", "us-east-1", "logs", group, stream]. */
export type StreamName = readonly [account: string, region: string, kind: string, ...rest: string[]];

export interface JournalRecord {
  /** Epoch milliseconds; not before that of the record appended before it. Earlier times are raised to it. */
  readonly time: number;
  readonly body: Uint8Array;
}

export interface StoredRecord extends JournalRecord {
  /** Position in the stream: grows by one with each record, survives trimming. */
  readonly sequence: number;
}

export interface ReadOptions {
  /** First time, inclusive, epoch milliseconds. */
  readonly from?: number;
  /** Last time, exclusive. */
  readonly to?: number;
  /** Only records after this sequence (before it, with `reverse`). */
  readonly afterSequence?: number;
  readonly limit?: number;
  readonly reverse?: boolean;
}

export interface StreamInfo {
  readonly firstTime: number | undefined;
  readonly lastTime: number | undefined;
  readonly nextSequence: number;
  readonly bytes: number;
}

/** Records of one stream as they lie in the journal, for whoever looks at very many of them in another thread. */
export interface RecordBlock {
  /** The position of the first one in its stream. */
  readonly firstSequence: number;
  /** Of each record its time (u64, epoch ms), the length of its body (u32), and its body; numbers are big endian. */
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** Reads a block. The bodies are views of its bytes. */
export function* readBlock(block: RecordBlock): Generator<StoredRecord> {
  const { bytes } = block;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (const { sequence, start, end } of bodiesOf(block)) {
    const time = view.getUint32(start - 12) * 2 ** 32 + view.getUint32(start - 8);
    yield { time, sequence, body: bytes.subarray(start, end) };
  }
}

/** Where the body of a record lies in its block's bytes. */
export interface BodyPlace {
  readonly sequence: number;
  readonly start: number;
  readonly end: number;
}

/** The places of a block's bodies: nothing is made of them, for whoever looks at millions. */
export function* bodiesOf({ firstSequence, bytes }: RecordBlock): Generator<BodyPlace> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let sequence = firstSequence;
  for (let at = 0; at < bytes.length;) {
    const start = at + 12;
    const end = start + view.getUint32(at + 8);
    yield { sequence: sequence++, start, end };
    at = end;
  }
}

/** Append-only streams of time-ordered records. */
export interface Journal {
  /** Appends to several streams at once; resolves when all of it is on disk. */
  append(batches: readonly { stream: StreamName; records: readonly JournalRecord[] }[]): Promise<void>;
  read(stream: StreamName, options?: ReadOptions): Promise<readonly StoredRecord[]>;
  /**
   * The same records as `read`, in order and in blocks, each with an ArrayBuffer of its own: it may be given to another
   * thread. Blocks hold records before `from` and after `to` as well.
   */
  scan(stream: StreamName, range?: Pick<ReadOptions, "from" | "to">): AsyncIterable<RecordBlock>;
  info(stream: StreamName): StreamInfo | undefined;
  streams(prefix: readonly string[]): readonly StreamName[];
  /** Forgets records older than `before` (epoch ms); may keep some for as long as their segment holds newer ones, but never returns them. */
  trim(stream: StreamName, before: number): Promise<void>;
  /** Forgets the streams under a prefix. */
  remove(prefix: readonly string[]): Promise<void>;
}
