import type { Socket as DatagramSocket } from "node:dgram";
import type { Server, Socket } from "node:net";
import type { Enforcement, NetworkChoice } from "../contract.ts";

/**
 * What functions may reach: `host` shares the host's network and promises nothing, `egress` is the platform and the
 * internet, `none` is the platform alone.
 */
export type NetworkMode = "host" | "egress" | "none";

export interface NetworkOptions {
  readonly mode: NetworkMode;
  /**
   * Whether private, shared and on-link addresses beyond this host may be reached in `egress` mode. Link-local
   * addresses, and with them a cloud's metadata service, are never reached.
   */
  readonly localNetwork: "allow" | "deny";
}

/** How environments are connected; `enforcement` tells what each holds. */
export type NetworkKind = "bridge" | "pasta" | "slirp4netns" | "isolated" | "host";

/** Makes the networks of execution environments. Made ready by `openNetwork`. */
export interface NetworkProvider {
  readonly name: NetworkKind;
  /**
   * Address under which every environment reaches what `listen` was called for, such as `169.254.100.1`; undefined
   * where nothing outside its sandbox can be reached by an environment at all.
   */
  readonly platformHost: string | undefined;
  /** Path of the user namespace that owns all its networks, where that is not the platform's own. */
  readonly userNamespace?: string | undefined;
  /**
   * Takes a network that was prepared ahead, or waits for the next batch. `id` is the environment's. The number kept
   * ready follows demand. It never reaches more than the mode allows, and less where `choice` says so.
   * @throws Error where the host refuses, the choice cannot be held, or once closed
   */
  acquire(id: string, choice?: NetworkChoice): Promise<EnvironmentNetwork>;
  /** One may be acquired soon. */
  expect(): void;
  /** What the networks of now have in /etc. */
  etc(): Promise<EtcTexts>;
  /**
   * A TCP socket of this process, bound to `platformHost` and `port`, that environments reach and nobody else beyond
   * this host; to be handed to `server.listen(…)` of an HTTP or net server. Port 0 chooses one. A connection's
   * `remoteAddress` is the environment's `guestAddress`: the kernel lets no environment use another's.
   */
  listen(port: number): Promise<Server>;
  /**
   * The same for UDP, whose senders' addresses are their `guestAddress`. What one sends beyond a thousand a second is dropped by the kernel, where that can.
   */
  bind(port: number): Promise<DatagramSocket>;
  enforcement(): readonly Enforcement[];
  /** Removes what an earlier process of this platform left when it died. `openNetwork` has called it already. */
  clean(): Promise<void>;
  /** Releases all networks and restores what was changed of the host. Environments must be dead. Idempotent. */
  close(): Promise<void>;
}

/** What files in /etc tell of a network. */
export interface EtcTexts {
  readonly resolvConf: string;
  readonly hosts: string;
}

/** The network of one execution environment: its own namespace, with `lo` and at most one interface. */
export interface EnvironmentNetwork extends EtcTexts {
  readonly id: string;
  /**
   * Argument vector in front of the sandbox's own, which runs it inside this network, such as
   * `["nsenter", "--net=/proc/71/root/run/netns/4", "--"]`; empty where there is nothing to enter. For a process in
   * the platform's own user namespace.
   */
  readonly enter: readonly string[];
  /**
   * Path of the network namespace for a process that is in `userNamespace` already and calls setns or nsenter itself;
   * undefined where `enter` is empty.
   */
  readonly namespace: string | undefined;
  /** Path of the user namespace that owns `namespace`, where it is not the platform's own. */
  readonly userNamespace: string | undefined;
  /** Whether the sandbox must make a network namespace by itself (bubblewrap's `--unshare-net`). */
  readonly unshare: boolean;
  /** As the provider's. */
  readonly platformHost: string | undefined;
  /** The environment's address as the platform sees it; undefined where it has none of its own. */
  readonly guestAddress: string | undefined;
  /**
   * A TCP socket of this process that listens inside the environment on an address of its own, such as 127.0.0.1:9001.
   * Costs the start of a short-lived Node.js process; `listen` of the provider costs nothing an environment.
   * @throws Error where there is no namespace to enter
   */
  plant(address: string, port: number): Promise<Server>;
  /**
   * Connects to a TCP port of the environment, on its `guestAddress`, or on the loopback that it shares with the host.
   * @throws Error where nobody listens, none answers within two seconds, or the namespace is out of reach
   */
  connect(port: number): Promise<Socket>;
  /** To be called once nothing runs in it any more. Idempotent; resolves when it is gone, and never rejects. */
  release(): Promise<void>;
}
