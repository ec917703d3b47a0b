import { open, rename, rm, truncate } from "node:fs/promises";
import type { ScratchDiskOptions } from "./contract.ts";

const BLOCK = 4096;
const BLOCKS_PER_MB = 256;

/**
 * What a disk has beyond its nominal size: a file of exactly that size needs some blocks for its own map. Real /tmp file
 * systems have a few MB more than EphemeralStorage says.
 */
const SLACK_BLOCKS = BLOCKS_PER_MB;

/** An inode for every 16 KB, as mke2fs has it by default: 32,768 files and folders on 512 MB. */
const BYTES_PER_INODE = 16_384;

/** ext4 holds back a fiftieth of a file system, at most this many blocks, for maps of data not yet placed (`ext4_calculate_resv_clusters`). */
const MOST_HELD_BACK = 4096;

/**
 * Makes the file of an empty ext4 file system in which `sizeMb` can be written, to be copied for each disk. It is sparse: some
 * 100 KB, whatever its size. No journal, for nobody mounts a disk again after a crash; nothing reserved for root; no
 * lost+found; its root directory belongs to `owner` alone.
 */
export async function makeTemplate(
  path: string,
  sizeMb: number,
  { run, owner }: Pick<ScratchDiskOptions, "run" | "owner">,
): Promise<void> {
  const wanted = sizeMb * BLOCKS_PER_MB + SLACK_BLOCKS;
  const draft = `${path}.draft`;
  try {
    // How much the file system takes for itself depends on its size in steps; a second or third try fits exactly.
    for (let blocks = wanted, missing = wanted, turn = 0; missing > 0; blocks += missing, turn++) {
      if (turn === 8) throw new Error(`no file system in which ${sizeMb} MB can be written`);
      // oxlint-disable-next-line no-await-in-loop
      await format(draft, blocks, { run, owner });
      // oxlint-disable-next-line no-await-in-loop
      missing = wanted - (await usableBlocks(draft));
    }
    await run(["debugfs", "-w", "-R", "rmdir lost+found", draft]);
    await run(["debugfs", "-w", "-R", "set_inode_field / mode 040700", draft]);
    await rename(draft, path);
  } finally {
    await rm(draft, { force: true });
  }
}

async function format(
  path: string,
  blocks: number,
  { run, owner }: Pick<ScratchDiskOptions, "run" | "owner">,
): Promise<void> {
  const file = await open(path, "w", 0o600);
  await file.close();
  await truncate(path, blocks * BLOCK);
  const features = ["-O", "^has_journal,^resize_inode", "-m", "0", "-i", `${BYTES_PER_INODE}`];
  // The file reads as zeros already: neither mke2fs nor, by `noinit_itable`, the kernel need write the inode tables.
  const extended = `lazy_itable_init=1,nodiscard,root_owner=${owner.uid}:${owner.gid}`;
  await run(["mke2fs", "-q", "-F", "-t", "ext4", "-b", `${BLOCK}`, ...features, "-E", extended, path]);
}

/** Blocks that an ordinary user can fill, from the superblock (Linux, Documentation/filesystems/ext4/super.rst). */
async function usableBlocks(path: string): Promise<number> {
  const file = await open(path, "r");
  try {
    const { buffer } = await file.read(Buffer.alloc(16), 0, 16, 1024);
    return buffer.readUInt32LE(12) - Math.min(Math.floor(buffer.readUInt32LE(4) / 50), MOST_HELD_BACK);
  } finally {
    await file.close();
  }
}
