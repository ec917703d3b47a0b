import type { ReadOnlyMount } from "../contract.ts";
import type { EnvironmentNetwork } from "../network/contract.ts";
import { bubblewrapArguments, limited } from "./arguments.ts";
import type { SandboxShape } from "./arguments.ts";
import type { GuestHost } from "./guest-host.ts";

/** What walls are to be raised round. */
export interface WallPlan {
  readonly id: string;
  readonly host: GuestHost;
  /** Enters the environment's network, from where the spawner is. */
  readonly enter: readonly string[];
  readonly network: EnvironmentNetwork;
  /** The host users that are this environment's alone: as many as `Walls.users`, or none. */
  readonly users: readonly number[];
  readonly shape: SandboxShape;
  /** The runtime's files, by their own paths on the host. */
  readonly mounts: readonly ReadOnlyMount[];
  readonly command: string;
  readonly args: readonly string[];
}

/** A command for the spawner; see `GuestStart`. */
export interface WallCommand {
  readonly argv: readonly string[];
  readonly inherit: string | undefined;
  readonly secret: readonly string[];
}

/** The program that makes an environment's namespaces: all else about sandboxes is the same for each. */
export interface Walls {
  readonly name: "bubblewrap" | "oci";
  /** Host users that an environment takes, where it has any of its own. */
  readonly users: number;
  /** Whether every guest, not only those of images, is started by the platform's own tools. */
  readonly needsTools: boolean;
  /** Whether a guest is left its descriptor 9. */
  readonly recalls: boolean;
  raise(plan: WallPlan): Promise<WallCommand>;
  /** The guest is to be ended while it may still wait to begin. */
  release(id: string): void;
  /** Nothing of it runs any more. */
  fallen(id: string, host: GuestHost): Promise<void>;
  /** Whether it was the program that failed, and not the guest. */
  neverRan(status: number | undefined, said: string): boolean;
}

/** Enters the network as a user without groups: by the same program where there is one, since each costs a millisecond. */
function entering(enter: readonly string[], user: number | undefined): readonly string[] {
  if (user === undefined) return enter;
  return enter[0] === "nsenter" && enter.at(-1) === "--"
    ? [...enter.slice(0, -1), `--setgid=${user}`, `--setuid=${user}`, "--"]
    : [...enter, "setpriv", `--reuid=${user}`, `--regid=${user}`, "--clear-groups", "--"];
}

/** @param bwrap absolute path of the program */
export function bubblewrapWalls(bwrap: string): Walls {
  return {
    name: "bubblewrap",
    users: 1,
    needsTools: false,
    recalls: true,
    raise({ enter, users, shape, command, args, host }) {
      const [user] = users;
      const inside = limited(command, args, shape.paths.image?.root !== undefined);
      return Promise.resolve({
        argv: [...entering(enter, user), bwrap, "--args", "8", "--", ...inside],
        inherit: host.filter,
        secret: bubblewrapArguments(shape),
      });
    },
    release() {
      // Its first process is ended, whatever it waits for.
    },
    fallen: () => Promise.resolve(),
    // It says so under its own name, before the guest has said anything.
    neverRan: (status, said) => status === 1 && said.startsWith("bwrap: "),
  };
}
