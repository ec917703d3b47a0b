import type { Socket as DatagramSocket } from "node:dgram";
import { createServer, type Server, type Socket } from "node:net";
import type { Clock, Timer } from "#core/clock";
import type { Enforcement, NetworkChoice } from "../contract.ts";
import type { Slot, Subnet } from "./addresses.ts";
import type {
  EnvironmentNetwork,
  EtcTexts,
  NetworkKind,
  NetworkOptions,
  NetworkProvider,
} from "./contract.ts";
import type { Starts } from "../lull.ts";
import { connectFromHere, Connector } from "./connector.ts";
import { bridgedEnforcement } from "./enforcement.ts";
import { readHostFacts, type HostFacts } from "./host-facts.ts";
import { connect, disconnect } from "./links.ts";
import { plant, plantDatagrams } from "./plant.ts";
import { Pool, type PoolOptions } from "./pool.ts";
import { HOSTS, resolvConf } from "./resolvers.ts";
import { antiSpoofing, letDatagramsIn, refill, rules, seal, tieLinks } from "./rules.ts";
import { namespacePath, nftScript, type Shell } from "./shell.ts";
import type { Uplink } from "./uplink.ts";

export interface BridgedOptions extends NetworkOptions {
  readonly kind: NetworkKind;
  /** `thaw-` and five digits. */
  readonly name: string;
  readonly subnet: Subnet;
  /** In the network namespace of the bridge. */
  readonly shell: Shell;
  /** In the host's. */
  readonly hostShell: Shell;
  readonly uplink: Uplink;
  /** Why there is no uplink, where one was asked for. */
  readonly lost?: string | undefined;
  /** Whether nftables is there; without it nothing is forwarded. */
  readonly filtered: boolean;
  /** Goes before every program that is started. */
  readonly prefix: readonly string[];
  /** Whether the namespaces belong to a user namespace of the shell's. */
  readonly ownUser: boolean;
  readonly pool: PoolOptions;
  readonly clock: Clock;
  readonly starts: Starts | undefined;
  /** Undoes all of it; called by `clean` and `close`. */
  readonly tearDown: () => Promise<void>;
}

const REFRESH_MS = 15_000;

/** Datagrams of one environment a second: reading one takes the platform 10 µs. An invocation that is traced sends a few. */
const MOST_DATAGRAMS = 1000;

/**
 * So many slots are tied to their links at once, ahead of their first use: the next batches of environments cost no
 * `nft`. All at once they would: every `nft` on the host reads all elements of all tables, at 20 ms for all slots of one
 * platform.
 */
const TIED_AT_ONCE = 128;

/** A bridge with one isolated port an environment; the platform listens on the bridge's own address. */
export class BridgedNetworks implements NetworkProvider {
  readonly name: NetworkKind;
  readonly platformHost: string;
  readonly userNamespace: string | undefined;
  readonly #options: BridgedOptions;
  readonly #pool: Pool<Slot>;
  /** Slots by age: the one that was freed longest ago is next, so that an address is not soon another environment's. */
  readonly #free: Slot[];
  readonly #listening = new Set<{ close(): void }>();
  /** Undefined where the bridge is in the platform's own namespace. */
  readonly #connector: Connector | undefined;
  readonly #taken = new Set<Slot>();
  /** Those that reach the platform alone, by their own choice. */
  readonly #sealed = new Set<Slot>();
  #releasing: Slot[] = [];
  #released: Promise<void> | undefined;
  /** How many slots, from the first on, are tied to their links. */
  #tied = 0;
  #facts = "";
  #timer: Timer | undefined;
  #closed: Promise<void> | undefined;

  constructor(options: BridgedOptions) {
    this.#options = options;
    this.name = options.kind;
    this.platformHost = options.subnet.platform4;
    this.userNamespace = options.ownUser ? `/proc/${options.shell.pid}/ns/user` : undefined;
    this.#free = [...options.subnet.slots];
    const enter = this.#enterBridge();
    if (enter.length > 0) this.#connector = new Connector(enter);
    this.#pool = new Pool((count) => this.#connect(count), options.pool, options.clock, options.starts);
  }

  /** Loads the rules of a bridge that is there, then makes the first networks in the background. */
  async open(): Promise<void> {
    const { shell, name, subnet, filtered, uplink, mode, localNetwork } = this.#options;
    const egress = mode === "egress";
    if (filtered)
      await shell.run(nftScript(rules({ name, subnet, egress, localNetwork, resolvers: uplink.resolvers })));
    await uplink.start();
    await this.refresh();
    if (filtered) await shell.run(nftScript(antiSpoofing(name)));
    this.#schedule();
    this.#pool.fill();
  }

  async acquire(id: string, choice?: NetworkChoice): Promise<EnvironmentNetwork> {
    const slot = await this.#pool.take();
    this.#taken.add(slot);
    if (choice === "none") await this.#seal(slot);
    return this.#network(id, slot);
  }

  /** Before anything runs in it; until its link is gone, so that the address is free for the next one. */
  async #seal(slot: Slot): Promise<void> {
    const { shell, name, mode, kind } = this.#options;
    if (mode !== "egress" || kind === "isolated") return;
    this.#sealed.add(slot);
    try {
      await shell.run(nftScript(seal(name, slot, true)));
    } catch (error) {
      await this.#release(slot);
      throw error;
    }
  }

  expect(): void {
    this.#pool.expect();
  }

  etc(): Promise<EtcTexts> {
    return Promise.resolve(this.#texts());
  }

  #texts(): EtcTexts {
    return { resolvConf: resolvConf(this.#options.uplink.resolvers), hosts: HOSTS };
  }

  async listen(port: number): Promise<Server> {
    const { shell, name, filtered } = this.#options;
    const enter = this.#enterBridge();
    const server =
      enter.length === 0
        ? await listening(this.platformHost, port)
        : await plant(enter, this.platformHost, port);
    this.#listening.add(server);
    const bound = server.address();
    if (filtered && typeof bound === "object" && bound !== null)
      await shell.run(nftScript(`add element inet ${name} tcp_ports { ${bound.port} }`));
    return server;
  }

  async bind(port: number): Promise<DatagramSocket> {
    const { shell, name, filtered, subnet } = this.#options;
    const socket = await plantDatagrams(this.#enterBridge(), this.platformHost, port);
    this.#listening.add(socket);
    if (filtered) {
      const rule = (most: number | undefined) =>
        shell.run(nftScript(letDatagramsIn(name, subnet, socket.address().port, most)));
      // Kernels without sets that rules add to have no limit by address: the platform's own is left.
      await rule(MOST_DATAGRAMS).catch(() => rule(undefined));
    }
    return socket;
  }

  enforcement(): readonly Enforcement[] {
    return [...bridgedEnforcement(this.#options), ...this.#options.uplink.enforcement()];
  }

  clean(): Promise<void> {
    return this.#options.tearDown();
  }

  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  /** Follows the host's own addresses and routes. They change seldom; a new address is refused after 15 s at the latest. */
  async refresh(): Promise<void> {
    const { shell, hostShell, name, filtered, uplink } = this.#options;
    const facts = await readHostFacts(hostShell);
    const text = JSON.stringify(facts);
    if (filtered && text !== this.#facts) await shell.run(nftScript(hostSets(name, facts)));
    this.#facts = text;
    await uplink.refresh(facts);
  }

  #schedule(): void {
    this.#timer = this.#options.clock.after(REFRESH_MS, () => {
      // What cannot be read now is read the next time; the rules stay as they are.
      void this.refresh()
        .catch(() => undefined)
        .then(() => {
          if (this.#closed === undefined) this.#schedule();
        });
    });
  }

  async #connect(count: number): Promise<Slot[]> {
    const { shell, name, subnet, mode, kind } = this.#options;
    const outward = mode === "egress" && kind !== "isolated";
    const slots = this.#free.splice(0, count);
    if (slots.length === 0) throw new Error(`all ${subnet.slots.length} networks are in use`);
    try {
      await this.#tie(Math.max(...slots.map(({ number }) => number)));
      await shell.run(connect(name, subnet, slots, outward));
    } catch (error) {
      await shell.run(disconnect(name, slots)).finally(() => this.#free.push(...slots));
      throw error;
    }
    return slots;
  }

  /** Ties all slots up to a number. */
  async #tie(last: number): Promise<void> {
    const { shell, name, subnet, filtered } = this.#options;
    const { slots } = subnet;
    if (!filtered) return;
    for (let next = slots[this.#tied]; next !== undefined && next.number <= last; next = slots[this.#tied]) {
      const chunk = slots.slice(this.#tied, this.#tied + TIED_AT_ONCE);
      // oxlint-disable-next-line no-await-in-loop
      await shell.run(nftScript(tieLinks(name, chunk)));
      this.#tied += chunk.length;
    }
  }

  #network(id: string, slot: Slot): EnvironmentNetwork {
    const { shell } = this.#options;
    const namespace = namespacePath(shell, slot.number);
    const enter = this.#enter(namespace);
    return {
      id,
      enter,
      namespace,
      userNamespace: this.userNamespace,
      unshare: false,
      platformHost: this.platformHost,
      guestAddress: slot.v4,
      ...this.#texts(),
      plant: (address, port) => plant(enter, address, port),
      connect: (port) => this.#reach(slot.v4, port),
      release: () => this.#release(slot),
    };
  }

  #reach(address: string, port: number): Promise<Socket> {
    return this.#connector?.connect(address, port) ?? connectFromHere(address, port, this.#options.clock);
  }

  #enterBridge(): string[] {
    const { shell, hostShell, prefix } = this.#options;
    return shell === hostShell ? [...prefix] : this.#enter(`/proc/${shell.pid}/ns/net`);
  }

  #enter(namespace: string): string[] {
    const { userNamespace } = this;
    const user = userNamespace === undefined ? [] : [`--user=${userNamespace}`, "--preserve-credentials"];
    return [...this.#options.prefix, "nsenter", ...user, `--net=${namespace}`, "--"];
  }

  /** Those released in the same turn, and while a batch is under way, go together. */
  async #release(slot: Slot): Promise<void> {
    if (this.#taken.delete(slot)) this.#releasing.push(slot);
    while (this.#releasing.length > 0 || this.#released !== undefined) {
      this.#released ??= this.#disconnect().finally(() => {
        this.#released = undefined;
      });
      await this.#released;
    }
  }

  async #disconnect(): Promise<void> {
    await Promise.resolve();
    const { shell, name } = this.#options;
    const slots = this.#releasing.splice(0);
    // Closing removes all of them.
    if (slots.length === 0 || this.#closed !== undefined) return;
    try {
      await shell.run(disconnect(name, slots));
      for (const slot of slots)
        // oxlint-disable-next-line no-await-in-loop
        if (this.#sealed.delete(slot)) await shell.run(nftScript(seal(name, slot, false)));
      this.#free.push(...slots);
    } catch {
      // The shell has died: what is left goes by `close` or by `clean`, and these slots are not used again.
    }
  }

  async #close(): Promise<void> {
    this.#timer?.cancel();
    await this.#pool.close();
    for (const server of this.#listening) server.close();
    await this.#connector?.close();
    await this.#options.uplink.close();
    try {
      await this.#options.tearDown();
    } finally {
      await this.#closeShells();
    }
  }

  async #closeShells(): Promise<void> {
    const { shell, hostShell } = this.#options;
    await Promise.all([...new Set([shell, hostShell])].map((each) => each.close()));
  }
}

function hostSets(name: string, facts: HostFacts): string {
  const of = (addresses: readonly string[], v6: boolean): string[] =>
    addresses.filter((address) => address.includes(":") === v6);
  return [
    refill(name, "host4", of(facts.addresses, false)),
    refill(name, "host6", of(facts.addresses, true)),
    refill(name, "linked4", of(facts.linked, false)),
    refill(name, "linked6", of(facts.linked, true)),
  ].join("\n");
}

function listening(address: string, port: number): Promise<Server> {
  const server = createServer();
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, address, () => resolve(server));
  });
}
