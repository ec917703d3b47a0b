import type { PolledRecord } from "./contract.ts";

/** An invocation's payload: 6 MB (AWS Lambda Developer Guide, "Lambda quotas"). */
export const MAX_BATCH_BYTES = 6_291_456;

const OPEN = '{"Records":[';
const CLOSE = "]}";

/** Bytes that a record takes in an event, the comma before it included. */
export function recordBytes(record: PolledRecord): number {
  return Buffer.byteLength(record.json) + 1;
}

/** The records in as many batches as their size demands, in their order. One that is too large by itself has its own. */
export function splitBySize<R extends PolledRecord>(records: readonly R[]): readonly (readonly R[])[] {
  const batches: R[][] = [];
  let bytes = Infinity;
  for (const record of records) {
    const size = recordBytes(record);
    if (bytes + size > MAX_BATCH_BYTES) {
      batches.push([]);
      bytes = OPEN.length + CLOSE.length;
    }
    batches.at(-1)?.push(record);
    bytes += size;
  }
  return batches;
}

export function writeEvent(records: readonly PolledRecord[]): Buffer {
  return Buffer.from(`${OPEN}${records.map(({ json }) => json).join(",")}${CLOSE}`);
}
