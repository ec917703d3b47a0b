/** A file or folder of an archive; paths are relative, folders come before what is in them. */
export interface CpioEntry {
  readonly path: string;
  readonly mode: number;
  readonly data: Uint8Array;
}

const [FOLDER, FILE] = [0o040_000, 0o100_000];

export const folder = (path: string): CpioEntry => ({ path, mode: FOLDER | 0o755, data: new Uint8Array() });
export const program = (path: string, data: Uint8Array): CpioEntry => ({ path, mode: FILE | 0o755, data });

/** The "newc" format, which the kernel unpacks as its first file system (Linux, Documentation/driver-api/early-userspace/buffer-format.rst). */
export function cpio(entries: readonly CpioEntry[]): Buffer {
  const end: CpioEntry = { path: "TRAILER!!!", mode: 0, data: new Uint8Array() };
  return Buffer.concat([...entries, end].flatMap((entry, index) => pieces(entry, index + 1)));
}

function pieces({ path, mode, data }: CpioEntry, inode: number): readonly Uint8Array[] {
  const name = Buffer.from(`${path}\0`);
  const fields = [inode, mode, 0, 0, 1, 0, data.length, 0, 0, 0, 0, name.length, 0];
  const header = Buffer.from(`070701${fields.map((field) => field.toString(16).padStart(8, "0")).join("")}`);
  return [header, name, padding(header.length + name.length), data, padding(data.length)];
}

function padding(length: number): Uint8Array {
  return new Uint8Array((4 - (length % 4)) % 4);
}
