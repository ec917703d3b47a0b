import { createReadStream } from "node:fs";
import { open, realpath } from "node:fs/promises";
import { isAbsolute, join, resolve, sep } from "node:path";
import type { Readable } from "node:stream";
import type { ImageReference } from "./reference.ts";
import { DIGEST } from "./reference.ts";
import { readDocument } from "./source.ts";
import type { ImageSource } from "./source.ts";

/**
 * Where `path` leads below `folder`, links followed; undefined where it leads elsewhere or nowhere. Callers of the API name
 * it: what is not below the operator's folder of images is none of theirs.
 */
export async function pathBelow(folder: string, path: string): Promise<string | undefined> {
  try {
    const root = await realpath(folder);
    const found = await realpath(isAbsolute(path) ? path : resolve(root, path));
    return found === root || found.startsWith(root.endsWith(sep) ? root : `${root}${sep}`)
      ? found
      : undefined;
  } catch {
    return undefined;
  }
}

/** An OCI image layout in a folder ("OCI Image Layout Specification"). @param folder real path of it */
export function layoutSource(
  folder: string,
  { path, tag }: Extract<ImageReference, { path: string }>,
): ImageSource {
  const read = async (name: string): Promise<Buffer | undefined> => {
    const stream = await openFile(folder, name);
    return stream === undefined ? undefined : readDocument(stream);
  };
  return {
    async root() {
      const bytes = await read("index.json");
      return bytes === undefined ? undefined : { bytes, tag };
    },
    manifest: (digest) => read(blobPath(digest)),
    blob: (digest) => openFile(folder, blobPath(digest)),
    resolvedUri: (digest) => `oci:${path}@${digest}`,
  };
}

export function blobPath(digest: string): string {
  if (!DIGEST.test(digest)) throw new Error("not a digest");
  return `blobs/${digest.replace(":", "/")}`;
}

/** Undefined where it is no file of the folder's own. */
async function openFile(folder: string, name: string): Promise<Readable | undefined> {
  const path = await pathBelow(folder, join(folder, name));
  if (path === undefined) return undefined;
  // Opened by hand, so that what is missing or unreadable is told here and not by an event.
  const file = await open(path).catch(() => undefined);
  if (file === undefined) return undefined;
  const regular = (await file.stat()).isFile();
  if (!regular) {
    await file.close();
    return undefined;
  }
  return createReadStream(path, { fd: file });
}
