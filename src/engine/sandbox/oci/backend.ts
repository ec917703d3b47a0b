import { join } from "node:path";
import { openBubblewrap } from "../bubblewrap/backend.ts";
import type { BubblewrapBackend, BubblewrapOptions } from "../bubblewrap/backend.ts";
import { findOciRuntime } from "./runtime.ts";
import type { OciRuntime } from "./runtime.ts";
import { OciWalls } from "./walls.ts";

export interface OciOptions extends BubblewrapOptions {
  /** Default: the first that this host has. */
  readonly runtime?: OciRuntime["name"];
}

/**
 * Sandboxes whose namespaces an OCI runtime makes. Their networks, control groups, disks and users, and the spawner that
 * starts them, are those of the bubblewrap back end. @throws Error that says what this host lacks
 */
export async function openOci(options: OciOptions): Promise<BubblewrapBackend> {
  const runtime = await findOciRuntime(options.runtime);
  const walls = new OciWalls(runtime, join(options.folder, "oci"));
  await walls.open();
  return openBubblewrap({ ...options, walls });
}
