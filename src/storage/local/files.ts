import { mkdir, open, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";

/** Makes what was created, renamed or removed in a folder survive a power cut. */
export async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Replaces a file as a whole: a crash leaves the old one or the new one. */
export async function replaceFile(path: string, text: string): Promise<void> {
  const temporary = `${path}.new`;
  const handle = await open(temporary, "w", 0o600);
  try {
    await handle.writeFile(text);
    await handle.sync();
  } finally {
    await handle.close();
  }
  await rename(temporary, path);
  await syncFolder(dirname(path));
}

/**
 * Writes a read-only file beside its place, flushes it, and gives it its name: a file under its name is whole, and what
 * fails leaves nothing. `root` is the folder that the file's own is made in.
 * @param nameOf where it belongs, asked once all of it is written; in a folder of `root`
 * @returns its length in bytes
 */
export async function writeBeside(
  root: string,
  temporary: string,
  chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  nameOf: () => string,
): Promise<number> {
  await mkdir(dirname(temporary), { recursive: true, mode: 0o700 });
  const handle = await open(temporary, "wx", 0o400);
  let length = 0;
  try {
    try {
      for await (const chunk of chunks) {
        length += chunk.length;
        for (let done = 0; done < chunk.length;)
          done += (await handle.write(chunk, done, chunk.length - done)).bytesWritten;
      }
      await handle.sync();
    } finally {
      await handle.close();
    }
    const path = nameOf();
    if ((await mkdir(dirname(path), { recursive: true, mode: 0o700 })) !== undefined) await syncFolder(root);
    await rename(temporary, path);
    await syncFolder(dirname(path));
    return length;
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}

export function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && "code" in error && error.code === code;
}
