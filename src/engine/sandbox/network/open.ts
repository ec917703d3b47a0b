import type { Clock } from "#core/clock";
import { tagOf } from "./addresses.ts";
import { BridgedNetworks, type BridgedOptions } from "./bridged.ts";
import { claimBridge } from "./claim.ts";
import type { Starts } from "../lull.ts";
import type { NetworkKind, NetworkOptions, NetworkProvider } from "./contract.ts";
import { HostNetwork } from "./host.ts";
import { HostUplink, tearDown } from "./host-uplink.ts";
import { removeOrphans } from "./orphans.ts";
import type { PoolOptions } from "./pool.ts";
import { findResolvers } from "./resolvers.ts";
import { SealedNetwork } from "./sealed.ts";
import { Shell } from "./shell.ts";
import { noUplink } from "./uplink.ts";
import { UserUplink, type UserStack } from "./user-uplink.ts";

export interface OpenNetworkOptions extends NetworkOptions {
  /** What tells this platform from others on the host and stays the same when it starts again: its data folder's path. */
  readonly instance: string;
  readonly clock: Clock;
  /** Networks are made ahead while none starts. */
  readonly starts?: Starts;
  /** Which ways to try, in this order. Default: all that serve the mode, the strongest first. */
  readonly kinds?: readonly NetworkKind[];
  readonly pool?: Partial<PoolOptions>;
  /** Addresses of the name servers that environments on a bridge of the host ask. Default: the host's own. */
  readonly resolvers?: readonly string[];
  /** Argument vector in front of every program that is started, for a platform whose host is another namespace. */
  readonly prefix?: readonly string[];
}

/** 50 at once are one batch; a few are ready from the start, and up to 64 after a burst. */
const POOL: PoolOptions = { least: 4, most: 64, batch: 50 };

/** Connects in the strongest way that this host and user allow. Never fails: where nothing works, environments are sealed. */
export async function openNetwork(options: OpenNetworkOptions): Promise<NetworkProvider> {
  const kinds = options.kinds ?? defaultKinds(options.mode);
  const problems: string[] = [];
  for (const kind of kinds) {
    try {
      if (kind === "host") return new HostNetwork();
      return kind === "bridge" ? await openBridge(options) : await openOwn(options, kind, problems);
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      problems.push(`${kind}: ${message.trim().replaceAll(/\s*\n\s*/g, ", ")}`);
    }
  }
  return new SealedNetwork(problems.join("; "));
}

function defaultKinds(mode: NetworkOptions["mode"]): readonly NetworkKind[] {
  if (mode === "host") return ["host"];
  return mode === "egress" ? ["bridge", "pasta", "slirp4netns", "isolated"] : ["bridge", "isolated"];
}

/** For root: the bridge is the host's, which routes. */
async function openBridge(options: OpenNetworkOptions): Promise<NetworkProvider> {
  const { prefix = [], mode, localNetwork } = options;
  const shell = await Shell.start([...prefix, "unshare", "--mount", "sh"]);
  const name = `thaw-${tagOf(options.instance)}`;
  const cleanUp = (): Promise<void> => tearDown(shell, name);
  return opened([shell], cleanUp, async () => {
    await cleanUp();
    await removeOrphans(shell);
    const servers = options.resolvers ?? (await findResolvers()).servers;
    const uplink =
      mode === "egress" ? new HostUplink(shell, name, servers, localNetwork === "allow") : noUplink;
    const shared = await common(options, shell, shell);
    return { ...shared, kind: "bridge", shell, hostShell: shell, uplink, filtered: true, ownUser: false };
  });
}

/** For an ordinary user, or a host that cannot be changed: the bridge is in a namespace of its own. */
async function openOwn(
  options: OpenNetworkOptions,
  kind: UserStack | "isolated",
  problems: readonly string[],
): Promise<NetworkProvider> {
  const { prefix = [] } = options;
  let ownUser = false;
  const shell = await Shell.start([...prefix, "unshare", "--mount", "--net", "sh"]).catch(() => {
    ownUser = true;
    return Shell.start([...prefix, "unshare", "--user", "--map-root-user", "--mount", "--net", "sh"]);
  });
  const hostShell = await Shell.plain([...prefix, "sh"]);
  return opened(
    [shell, hostShell],
    () => Promise.resolve(),
    async () => {
      await shell.run("ip link set lo up");
      const uplink =
        kind === "isolated"
          ? noUplink
          : new UserUplink({ stack: kind, shell, prefix, ownUser, resolvers: await findResolvers() });
      // Without an uplink nothing is forwarded, and nothing but the platform's sockets is in this namespace.
      const filtered = kind !== "isolated" || (await shell.run("command -v nft || true")) !== "";
      return {
        ...(await common(options, shell, hostShell)),
        kind,
        shell,
        hostShell,
        uplink,
        lost:
          options.mode === "egress" && kind === "isolated" && problems.length > 0
            ? problems.join("; ")
            : undefined,
        filtered,
        ownUser,
      };
    },
  );
}

type Common = Pick<
  BridgedOptions,
  "mode" | "localNetwork" | "name" | "subnet" | "prefix" | "pool" | "clock" | "starts"
>;

async function common(options: OpenNetworkOptions, shell: Shell, hostShell: Shell): Promise<Common> {
  const tag = tagOf(options.instance);
  const name = `thaw-${tag}`;
  return {
    mode: options.mode,
    localNetwork: options.localNetwork,
    name,
    subnet: await claimBridge(shell, hostShell, tag, name),
    prefix: options.prefix ?? [],
    pool: { ...POOL, ...options.pool },
    clock: options.clock,
    starts: options.starts,
  };
}

/** Opens; where that fails, takes back what was done of it. */
async function opened(
  shells: readonly Shell[],
  cleanUp: () => Promise<void>,
  prepare: () => Promise<Omit<BridgedOptions, "tearDown">>,
): Promise<NetworkProvider> {
  let networks: BridgedNetworks | undefined;
  try {
    networks = new BridgedNetworks({ ...(await prepare()), tearDown: cleanUp });
    await networks.open();
    return networks;
  } catch (error) {
    // What failed first is what is told.
    await (networks?.close() ?? cleanUp()).catch(() => undefined);
    await Promise.all(shells.map((shell) => shell.close()));
    throw error;
  }
}
