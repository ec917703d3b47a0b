import { join } from "node:path";
import type { ReadOnlyMount, SandboxBackend } from "../sandbox/contract.ts";
import type { RuntimeFamily } from "./catalogue.ts";
import type { Interpreter } from "./discover.ts";
import { GUEST_DIR } from "./guest-paths.ts";
import { languageView } from "./language-view.ts";
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
  const { runtimePath, guest = join(guestFolder, family) } = parts;
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
