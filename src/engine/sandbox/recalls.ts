import { closeSync, openSync, truncateSync } from "node:fs";

/** Where a guest has the file open that tells of recalls (guest/PROTOCOL.md, "Prefetched events"). */
export const RECALLS_DESCRIPTOR = 9;

/** Makes the file of an environment, for its guest to read alone. */
export function makeRecalls(path: string): void {
  closeSync(openSync(path, "wx", 0o644));
}

/** No byte of it is ever written: its length says how many events of those given ahead are not to be begun any more. */
export function recall(path: string, count: number): void {
  truncateSync(path, count);
}
