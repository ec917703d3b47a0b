import { crc32, deflateRawSync } from "node:zlib";

export interface ZipEntry {
  readonly name: string;
  readonly data?: string | Uint8Array;
  /** Unix mode with its type bits; a plain file by default. */
  readonly mode?: number;
  /** What the headers say the size is, where they lie. */
  readonly declaredSize?: number;
  /** What the headers say its CRC-32 is, where they lie. */
  readonly declaredCrc?: number;
  /** The way of compression that the headers name; deflated (8) by default, and stored (0) where it is 0. */
  readonly method?: number;
  /** Where the directory says that it is, where that lies. */
  readonly declaredOffset?: number;
  /** Only the directory speaks of it. */
  readonly absent?: boolean;
}

/** Writes a zip archive by hand, so that it may hold what no zip tool writes. */
export function zip(entries: readonly ZipEntry[]): Buffer {
  const files: Buffer[] = [];
  const directory: Buffer[] = [];
  let offset = 0;
  for (const entry of entries) {
    const data = Buffer.from(entry.data ?? "");
    const name = Buffer.from(entry.name);
    const { method = 8, declaredOffset = offset } = entry;
    const packed = method === 0 ? data : deflateRawSync(data);
    const common = Buffer.alloc(26);
    common.writeUInt16LE(20, 0);
    common.writeUInt16LE(0x800, 2);
    common.writeUInt16LE(method, 4);
    common.writeUInt16LE(0, 6);
    common.writeUInt16LE(0x5a21, 8);
    common.writeUInt32LE(entry.declaredCrc ?? crc32(data), 10);
    common.writeUInt32LE(packed.length, 14);
    common.writeUInt32LE(entry.declaredSize ?? data.length, 18);
    common.writeUInt16LE(name.length, 22);
    const local = Buffer.concat([Buffer.from("PK\u0003\u0004", "latin1"), common, name, packed]);
    const tail = Buffer.alloc(14);
    tail.writeUInt32LE(((entry.mode ?? 0o100644) << 16) >>> 0, 6);
    tail.writeUInt32LE(declaredOffset, 10);
    const central = Buffer.concat([
      Buffer.from("PK\u0001\u0002", "latin1"),
      Buffer.from([20, 3]),
      common,
      tail,
      name,
    ]);
    directory.push(central);
    if (entry.absent === true) continue;
    files.push(local);
    offset += local.length;
  }
  const list = Buffer.concat(directory);
  const end = Buffer.alloc(22);
  end.write("PK\u0005\u0006", 0, "latin1");
  end.writeUInt16LE(entries.length, 8);
  end.writeUInt16LE(entries.length, 10);
  end.writeUInt32LE(list.length, 12);
  end.writeUInt32LE(offset, 16);
  return Buffer.concat([...files, list, end]);
}
