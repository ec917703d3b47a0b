import { closeSync, constants, ftruncateSync, openSync } from "node:fs";

/** Where a guest has the file open that tells of recalls (guest/PROTOCOL.md, "Prefetched events"). */
export const RECALLS_DESCRIPTOR = 9;

/** Makes the file of an environment, for its guest to read alone. */
export function makeRecalls(path: string): void {
  closeSync(openSync(path, "wx", 0o644));
}

/**
 * No byte of it is ever written: its length says how many events of those given ahead are not to be begun any more.
 * @throws Error where it cannot be lengthened at once: a guest with the platform's own user may hold a lease on it (fcntl(2)),
 * which a plain open waits for
 */
export function recall(path: string, count: number): true {
  const file = openSync(path, constants.O_WRONLY | constants.O_NONBLOCK);
  try {
    ftruncateSync(file, count);
  } finally {
    closeSync(file);
  }
  return true;
}
