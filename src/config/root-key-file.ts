import { closeSync, constants, fstatSync, openSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { OperatorError } from "#core/errors";
import { parseRootKey, type RootKey } from "#core/root-key";

/** As Thaw makes it: an access key id and a secret of AWS's form. */
const KEPT = /^AKIA[A-Z2-7]{16}:[A-Za-z0-9+/]{40}\n$/;
const LENGTH = "AKIA".length + 16 + ":".length + 40 + "\n".length;

/** Where a data folder has the root key that Thaw made for it. */
export function rootKeyFile(data: string): string {
  return join(data, "root-key");
}

export function rootKeyText({ id, secret }: RootKey): string {
  return `${id}:${secret}\n`;
}

/**
 * Reads a root key that Thaw made.
 * @returns undefined where there is none
 * @throws OperatorError where it cannot be read, is not its owner's and this user's alone, or is damaged; what the file
 * holds is not told
 */
export function readRootKey(file: string): RootKey | undefined {
  let descriptor: number;
  try {
    // Of a link or a pipe nobody knows who else reads or writes it.
    descriptor = openSync(file, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === "ENOENT" || code === "ENOTDIR") return undefined;
    throw refused(file, code === "ELOOP" ? "is a symbolic link" : `cannot be read: ${message}`);
  }
  try {
    const { mode, uid, size, isFile } = described(descriptor);
    if (!isFile) throw refused(file, "is no file");
    if ((mode & 0o077) !== 0)
      throw refused(file, `is open to other users (mode ${mode.toString(8)}), who may know it`);
    if (uid !== (process.getuid?.() ?? uid)) throw refused(file, `belongs to another user (${uid})`);
    const text = size === LENGTH ? readFileSync(descriptor, "latin1") : "";
    if (!KEPT.test(text)) throw refused(file, "is damaged");
    return parseRootKey(text.trimEnd());
  } finally {
    closeSync(descriptor);
  }
}

function described(descriptor: number) {
  const stats = fstatSync(descriptor);
  return { mode: stats.mode & 0o7777, uid: stats.uid, size: stats.size, isFile: stats.isFile() };
}

function refused(file: string, why: string): OperatorError {
  return new OperatorError(
    `the root key ${file} ${why}. Without that file the platform makes another one at its next start; --root-key gives one of your own.`,
  );
}
