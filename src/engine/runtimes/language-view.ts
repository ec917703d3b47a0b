import { basename, dirname, join } from "node:path";
import type { ReadOnlyMount } from "../sandbox/contract.ts";
import type { RuntimeFamily } from "./catalogue.ts";
import { LANGUAGE_DIR } from "./guest-paths.ts";

export interface LanguageView {
  /** The interpreter as the guest sees it. */
  readonly command: string;
  readonly mounts: readonly ReadOnlyMount[];
}

/** Where a guest of the `aws` layout sees the interpreter that the host has at `path`. */
export function languageView(family: RuntimeFamily, path: string): LanguageView {
  // The host's /usr is every sandbox's: its shared libraries are the interpreters' own.
  if (path.startsWith("/usr/") && !path.startsWith("/usr/local/")) return { command: path, mounts: [] };
  const command = join(LANGUAGE_DIR, "bin", basename(path));
  // Node.js is one file; the others bring a library beside their `bin`.
  if (family === "nodejs") return { command, mounts: [{ source: path, target: command }] };
  return { command, mounts: [{ source: dirname(dirname(path)), target: LANGUAGE_DIR }] };
}
