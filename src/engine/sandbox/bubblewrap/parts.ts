import type { Clock } from "#core/clock";
import type { Cgroups } from "../cgroups/contract.ts";
import type { IdleSweep } from "../idle.ts";
import type { Starts } from "../lull.ts";
import type { EnvironmentNetwork } from "../network/contract.ts";
import type { GuestTools } from "../tools.ts";
import type { EtcFolders } from "./etc.ts";
import type { GuestHost } from "./guest-host.ts";
import type { SandboxNetworks } from "./networks.ts";
import type { GuestUsers } from "./users.ts";
import type { Walls } from "./walls.ts";

/** What all sandboxes of a back end share. */
export interface SandboxParts {
  readonly clock: Clock;
  readonly walls: Walls;
  readonly users: GuestUsers | undefined;
  readonly cgroups: Cgroups | undefined;
  readonly networks: SandboxNetworks;
  readonly etc: EtcFolders;
  readonly starts: Starts;
  /** The one of now: another one after the spawner died. */
  host(): Promise<GuestHost>;
  /** Enters an environment's network, from where the spawner is. */
  enter(network: EnvironmentNetwork): readonly string[];
  /** What starts functions of images. @throws Error that says what the host lacks for them */
  tools(): Promise<GuestTools>;
  /** Has what is idle frozen soon. */
  readonly idle: IdleSweep;
  /** Something of a dead sandbox could not be removed. */
  onProblem(error: unknown): void;
}
