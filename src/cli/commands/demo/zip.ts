import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { buffer } from "node:stream/consumers";
import { ZipFile } from "yazl";

/**
 * A zip archive of files, by their names in it. The same files give the same bytes, so that nothing is deployed twice.
 * @param files paths of the host by name
 */
export async function zipFiles(files: ReadonlyMap<string, string>): Promise<Buffer> {
  const zip = new ZipFile();
  for (const [name, path] of [...files].sort(([a], [b]) => (a < b ? -1 : 1)))
    zip.addBuffer(await readFile(path), name, { mtime: new Date(0), mode: 0o100644 });
  zip.end();
  return buffer(zip.outputStream);
}

/** Every file below a folder, by `prefix` and its path from there, without what Python compiled. */
export async function filesBelow(folder: string, prefix: string): Promise<Map<string, string>> {
  const found = new Map<string, string>();
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    const [name, path] = [`${prefix}/${entry.name}`, join(folder, entry.name)];
    if (entry.isFile()) found.set(name, path);
    else if (entry.isDirectory() && entry.name !== "__pycache__")
      for (const each of await filesBelow(path, name)) found.set(...each);
  }
  return found;
}
