const CODES: ReadonlySet<unknown> = new Set([
  "EACCES",
  "EDQUOT",
  "EIO",
  "EMFILE",
  "ENFILE",
  "ENOMEM",
  "ENOSPC",
  "EROFS",
]);

/** Whether unpacking failed by this host, such as its full disk, and not by what was unpacked. */
export function isHostTrouble(error: unknown): boolean {
  return error instanceof Error && "code" in error && CODES.has(error.code);
}
