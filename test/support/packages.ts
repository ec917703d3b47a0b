import { readdirSync, readFileSync } from "node:fs";
import { join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const root = resolve(fileURLToPath(new URL("../..", import.meta.url)));

/** The files of installed packages, as a function's own `node_modules`. */
export function packages(...names: string[]): Record<string, string> {
  const files: Record<string, string> = {};
  for (const name of names)
    for (const entry of readdirSync(join(root, "node_modules", name), {
      recursive: true,
      withFileTypes: true,
    })) {
      const path = join(entry.parentPath, entry.name);
      if (entry.isFile() && /\.(?:json|m?js)$/.test(entry.name))
        files[relative(root, path)] = readFileSync(path, "utf8");
    }
  return files;
}
