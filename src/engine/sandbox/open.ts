import { join } from "node:path";
import type { Socket } from "node:net";
import type { Clock } from "#core/clock";
import type { Ids } from "#core/ids";
import { openBubblewrap } from "./bubblewrap/backend.ts";
import type { Enforcement, SandboxBackend } from "./contract.ts";
import { openOci } from "./oci/backend.ts";
import type { NetworkOptions } from "./network/contract.ts";
import { processBackend } from "./process/backend.ts";

export interface SandboxChoice {
  /** `auto`: the strongest walls that this host lets this user have. */
  readonly sandbox: "auto" | "bubblewrap" | "oci" | "process";
  readonly network: NetworkOptions;
  /** Where back ends keep what is theirs, on disk. */
  readonly folder: string;
  /** Stays the same when the platform starts again: its data folder's path. */
  readonly instance: string;
  readonly clock: Clock;
  readonly ids: Ids;
  /** The compiled `spawner/spawner-main.ts`, where it does not lie beside its caller. */
  readonly spawnerScript?: string;
  /** Told of what could not be removed. */
  readonly onProblem?: (error: unknown) => void;
}

export interface OpenedSandbox {
  readonly backend: SandboxBackend;
  /** Why it is not a stronger one, where it was `auto` that chose. */
  readonly weakened: string | undefined;
  /** Lets functions reach the platform's server on `port`: their connections come to `accept`. */
  publish(port: number, accept: (socket: Socket) => void): Promise<void>;
}

/** @throws Error that says what the host lacks for the back end that was asked for */
export async function openSandbox(choice: SandboxChoice): Promise<OpenedSandbox> {
  let weakened: string | undefined;
  if (choice.sandbox === "oci") {
    const backend = await openOci({ ...choice, folder: join(choice.folder, "oci") });
    return { backend, weakened, publish: (port, accept) => backend.publish(port, accept) };
  }
  if (choice.sandbox !== "process")
    try {
      const backend = await openBubblewrap({ ...choice, folder: join(choice.folder, "bubblewrap") });
      return { backend, weakened, publish: (port, accept) => backend.publish(port, accept) };
    } catch (error) {
      if (choice.sandbox === "bubblewrap") throw error;
      weakened = error instanceof Error ? error.message : String(error);
    }
  const backend = processBackend({ folder: join(choice.folder, "process") });
  // Its guests share the host's network.
  return { backend, weakened, publish: () => Promise.resolve() };
}

/** What `doctor` tells of a back end that was fallen back to. */
export function weakness(weakened: string | undefined): readonly Enforcement[] {
  if (weakened === undefined) return [];
  const [why = weakened, ...remedy] = weakened.split(": ");
  return [{ limit: "sandbox", level: "not enforced", how: why, remedy: remedy.join(": ") }];
}
