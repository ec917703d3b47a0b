/** What a receipt handle proves: this receive of this message of this very queue. */
export interface Receipt {
  /** The queue document's id. */
  readonly queueId: string;
  readonly messageId: string;
  readonly lease: string;
}

/** Begins `AQEB`, as AWS's do; queue id and message id are eight bytes each, a lease sixteen. */
const PREFIX = Buffer.from([1, 1, 1]);
const BYTES = PREFIX.length + 32;

export function writeReceiptHandle({ queueId, messageId, lease }: Receipt): string {
  return Buffer.concat([PREFIX, Buffer.from(queueId + messageId + lease, "hex")]).toString("base64");
}

/** `undefined` for what was never a receipt handle. */
export function readReceiptHandle(handle: string): Receipt | undefined {
  if (handle.length !== Math.ceil(BYTES / 3) * 4) return undefined;
  const bytes = Buffer.from(handle, "base64");
  if (bytes.length !== BYTES || !bytes.subarray(0, PREFIX.length).equals(PREFIX)) return undefined;
  const hex = bytes.toString("hex", PREFIX.length);
  return { queueId: hex.slice(0, 16), messageId: hex.slice(16, 32), lease: hex.slice(32) };
}
