/** A document's key. Strings and non-negative safe integers order as LMDB tuples do: element by element, numbers before strings. */
export type DocumentKey = readonly [
  account: string,
  region: string,
  kind: string,
  ...rest: (string | number)[],
];

/** The leading elements of keys; whole elements are compared, so ["a"] is no prefix of ["ab"]. */
export type DocumentPrefix = readonly [
  account: string,
  region?: string,
  kind?: string,
  ...rest: (string | number)[],
];

export interface Document<T = unknown> {
  readonly key: DocumentKey;
  readonly value: T;
  /** Grows with each commit that writes this key; never 0, never used again for another value of the key. */
  readonly revision: number;
}

export type Change =
  | { readonly key: DocumentKey; readonly value: unknown; readonly expected?: number }
  | { readonly key: DocumentKey; readonly delete: true; readonly expected?: number };

export interface ListOptions {
  /** Starts after this key (before it, with `reverse`), which need not exist. */
  readonly after?: DocumentKey;
  readonly limit?: number;
  readonly reverse?: boolean;
}

export interface Watched {
  readonly key: DocumentKey;
  /** `undefined` when the document was deleted. */
  readonly document: Document | undefined;
}

/**
 * Documents: small JSON-like values under tuple keys. Reads are local and synchronous and may lag behind commits of
 * other nodes, so exact decisions are commits with an expected revision.
 */
export interface Documents {
  get<T>(key: DocumentKey): Document<T> | undefined;
  /** Documents under `prefix` in key order. Iterate at once; do not keep the iterator across an await. */
  list<T>(prefix: DocumentPrefix, options?: ListOptions): Iterable<Document<T>>;
  /**
   * Writes all of `changes` or nothing; resolves once they are on disk. All keys share one [account, region].
   * `expected: 0` demands that the key is absent, another number that its revision is just that.
   * `append` adds messages to queues in the same transaction.
   * Returns the new revisions in the order of `changes` (0 for deletes).
   * @throws RevisionConflict where an expectation does not hold.
   */
  commit(changes: readonly Change[], append?: readonly QueueAppend[]): Promise<readonly number[]>;
  /** Calls `listener` after each commit for every document that changed under `prefix`, in commit order. */
  watch(prefix: DocumentPrefix, listener: (change: Watched) => void): () => void;
}

export interface QueueAppend {
  readonly queue: QueueName;
  readonly body: Uint8Array;
  /** Milliseconds from now until it may be received. */
  readonly delayMs?: number;
  /** Messages of one group are received in order: see Queue. */
  readonly group?: string;
  /**
   * Appends nothing where the queue took a message with this key within the last `forMs` milliseconds, however that one
   * has fared since; the id is that one's then.
   */
  readonly once?: { readonly key: string; readonly forMs: number };
  /** Epoch milliseconds of its first append, for what was in another queue before. */
  readonly sentAt?: number;
}

/** A queue's name: [account, region, kind, ...rest]. */
export type QueueName = readonly [account: string, region: string, kind: string, ...rest: string[]];

export class RevisionConflict extends Error {
  readonly key: DocumentKey;
  constructor(key: DocumentKey) {
    super(`revision conflict at ${JSON.stringify(key)}`);
    this.name = "RevisionConflict";
    this.key = key;
  }
}
