import { basename, dirname, join } from "node:path";
import type { ReadOnlyMount, SandboxBackend } from "../sandbox/contract.ts";
import type { RuntimeFamily } from "./catalogue.ts";
import type { Interpreter } from "./discover.ts";
import { GUEST_DIR, LANGUAGE_DIR } from "./guest-paths.ts";
import type { Parts } from "./parts.ts";

/** A runtime's files as its guests see them. */
export interface RuntimeView {
  /** The interpreter. */
  readonly command: string;
  /** The folder of Thaw's own guest code for this family. */
  readonly guest: string;
  /** LAMBDA_RUNTIME_DIR. */
  readonly runtimePath: string;
  /** What has to be mounted for that. */
  readonly mounts: readonly ReadOnlyMount[];
}

export interface ViewOptions {
  readonly layout: SandboxBackend["layout"];
  readonly family: RuntimeFamily;
  readonly interpreter: Interpreter;
  readonly parts: Parts;
  /** The folder that holds one folder a family. */
  readonly guestFolder: string;
}

export function runtimeView({ layout, family, interpreter, parts, guestFolder }: ViewOptions): RuntimeView {
  const guest = join(guestFolder, family);
  const { runtimePath } = parts;
  if (layout === "host") return { command: interpreter.path, guest, runtimePath, mounts: [] };
  const { command, mounts } = languageView(family, interpreter.path);
  const target = join(GUEST_DIR, family);
  return {
    command,
    guest: target,
    runtimePath,
    mounts: [...mounts, { source: guest, target }, ...parts.mounts],
  };
}

function languageView(
  family: RuntimeFamily,
  path: string,
): { command: string; mounts: readonly ReadOnlyMount[] } {
  // The host's /usr is every sandbox's: its shared libraries are the interpreters' own.
  if (path.startsWith("/usr/") && !path.startsWith("/usr/local/")) return { command: path, mounts: [] };
  const command = join(LANGUAGE_DIR, "bin", basename(path));
  // Node.js is one file; the others bring a library beside their `bin`.
  if (family === "nodejs") return { command, mounts: [{ source: path, target: command }] };
  return { command, mounts: [{ source: dirname(dirname(path)), target: LANGUAGE_DIR }] };
}
