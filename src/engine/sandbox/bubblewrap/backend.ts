import { mkdir, rm } from "node:fs/promises";
import type { Socket } from "node:net";
import { join } from "node:path";
import type { Clock, Timer } from "#core/clock";
import type { Ids } from "#core/ids";
import type { Enforcement, SandboxBackend } from "../contract.ts";
import { findCgroups } from "../cgroups/find.ts";
import type { EnvironmentNetwork, NetworkOptions } from "../network/contract.ts";
import { openNetwork } from "../network/open.ts";
import { gatherTools } from "../tools.ts";
import type { GuestTools } from "../tools.ts";
import { enforcement } from "./enforcement.ts";
import { EtcFolders } from "./etc.ts";
import { openGuestHost } from "./guest-host.ts";
import type { GuestHost } from "./guest-host.ts";
import { SandboxNetworks } from "./networks.ts";
import type { Freezable, SandboxParts } from "./parts.ts";
import { BubblewrapSandbox } from "./sandbox.ts";
import { seccompFilter } from "./seccomp.ts";
import { bubblewrapUsable } from "./usable.ts";
import { GuestUsers } from "./users.ts";

export interface BubblewrapOptions {
  /** On disk, this back end's own. */
  readonly folder: string;
  /** Tells this platform from others on the host and stays the same when it starts again, such as its data folder's path. */
  readonly instance: string;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly network: NetworkOptions;
  /** Idle environments are frozen after so many milliseconds, and up to as much again. Default 250. */
  readonly freezeMs?: number;
  /** The compiled `spawner/main.ts`. */
  readonly spawnerScript?: string;
  /** Told of what could not be removed. */
  readonly onProblem?: (error: unknown) => void;
}

export interface BubblewrapBackend extends SandboxBackend {
  readonly name: "bubblewrap";
  /** Lets sandboxes reach the platform's own server, which listens on `port` elsewhere: their connections come to `accept`. */
  publish(port: number, accept: (socket: Socket) => void): Promise<void>;
  /** The spawner's process; undefined while there is none. */
  readonly spawnerPid: number | undefined;
}

/** @throws Error that says what this host lacks */
export async function openBubblewrap(options: BubblewrapOptions): Promise<BubblewrapBackend> {
  const use = await bubblewrapUsable();
  if (!use.usable) throw new Error(`${use.why}: ${use.remedy}`);
  const { folder, instance, clock } = options;
  const users = GuestUsers.find(instance);
  if (process.getuid?.() === 0 && users === undefined)
    throw new Error(
      "this root has no other users to run functions as: map at least 65,536 to its user namespace",
    );
  await mkdir(folder, { recursive: true, mode: 0o711 });
  const cgroups = findCgroups({ instance: instanceTag(instance), clock });
  const provider = await openNetwork({ ...options.network, instance, clock });
  // The namespace of users that networks are in is the spawner's as well: none can enter that of a sibling.
  const sample = await provider.acquire("sample");
  await sample.release();
  const { userNamespace } = sample;
  const newUser = process.getuid?.() !== 0 && userNamespace === undefined;
  const enter =
    userNamespace === undefined ? [] : ["nsenter", `--user=${userNamespace}`, "--preserve-credentials", "--"];
  const owner = { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 };
  const filter = seccompFilter(process.arch);
  const backend = new Backend(options, {
    clock,
    bwrap: use.path,
    users,
    cgroups,
    networks: new SandboxNetworks(provider),
    provider,
    etc: new EtcFolders(join(folder, "etc")),
    filtered: filter !== undefined,
    open: () =>
      openGuestHost({
        folder,
        enter,
        newUser,
        script: options.spawnerScript,
        clock,
        ids: options.ids,
        owner,
        filter,
      }),
    enterNetwork: ({ namespace, enter: whole }) =>
      userNamespace === undefined || namespace === undefined
        ? whole
        : ["nsenter", `--net=${namespace}`, "--"],
  });
  try {
    await backend.ready();
    return backend;
  } catch (error) {
    await backend.close();
    throw error;
  }
}

interface Parts extends Pick<SandboxParts, "clock" | "bwrap" | "users" | "cgroups" | "networks" | "etc"> {
  readonly provider: { enforcement(): readonly Enforcement[] };
  readonly filtered: boolean;
  open(): Promise<GuestHost>;
  enterNetwork(network: EnvironmentNetwork): readonly string[];
}

class Backend implements BubblewrapBackend, SandboxParts {
  readonly name = "bubblewrap";
  readonly layout = "aws";
  readonly clock: Clock;
  readonly bwrap: string;
  readonly users: SandboxParts["users"];
  readonly cgroups: SandboxParts["cgroups"];
  readonly networks: SandboxNetworks;
  readonly etc: EtcFolders;
  readonly #options: BubblewrapOptions;
  readonly #parts: Parts;
  readonly #idle = new Set<Freezable>();
  readonly #freezeMs: number;
  #tools: Promise<GuestTools> | undefined;
  #host: Promise<GuestHost> | undefined;
  #current: GuestHost | undefined;
  #sweep: Timer | undefined;
  #closed: Promise<void> | undefined;

  constructor(options: BubblewrapOptions, parts: Parts) {
    this.#options = options;
    this.#parts = parts;
    this.clock = parts.clock;
    this.bwrap = parts.bwrap;
    this.users = parts.users;
    this.cgroups = parts.cgroups;
    this.networks = parts.networks;
    this.etc = parts.etc;
    this.#freezeMs = options.freezeMs ?? 250;
  }

  get spawnerPid(): number | undefined {
    return this.#current?.spawner.pid;
  }

  async ready(): Promise<void> {
    await this.clean();
    await this.host();
  }

  host(): Promise<GuestHost> {
    if (this.#closed !== undefined) return Promise.reject(new Error("the sandboxes are closed"));
    this.#host ??= this.#open();
    return this.#host;
  }

  async #open(): Promise<GuestHost> {
    try {
      const host = await this.#parts.open();
      this.#current = host;
      // Its guests ended with it, and its disks are mounted nowhere any more: the next one starts afresh.
      void host.spawner.ended.then(async () => {
        if (this.#closed !== undefined) return;
        this.#current = undefined;
        this.#host = host.close().then(
          () => this.#open(),
          () => this.#open(),
        );
        this.#host.catch(() => undefined);
      });
      return host;
    } catch (error) {
      this.#host = undefined;
      throw error;
    }
  }

  enter(network: EnvironmentNetwork): readonly string[] {
    return this.#parts.enterNetwork(network);
  }

  tools(): Promise<GuestTools> {
    this.#tools ??= gatherTools(join(this.#options.folder, "tools"));
    this.#tools.catch(() => (this.#tools = undefined));
    return this.#tools;
  }

  paths(_id: string, { layers }: { readonly layers: string | undefined }) {
    return { task: "/var/task", opt: layers === undefined ? undefined : "/opt", tmp: "/tmp" };
  }

  endpointUrl(url: string): string {
    return this.networks.endpointUrl(url);
  }

  openRuntimeApi: SandboxBackend["openRuntimeApi"] = (id, onRequest) =>
    this.networks.openRuntimeApi(id, onRequest);

  publish(port: number, accept: (socket: Socket) => void): Promise<void> {
    return this.networks.publish(port, accept);
  }

  start: SandboxBackend["start"] = (options, listener) => new BubblewrapSandbox(this, options, listener);

  enforcement(): readonly Enforcement[] {
    return enforcement({
      users: this.users !== undefined,
      filtered: this.#parts.filtered,
      others: [
        ...(this.cgroups?.enforcement() ?? []),
        ...(this.#current?.disks.enforcement() ?? []),
        ...this.#parts.provider.enforcement(),
      ],
    });
  }

  /** What an earlier platform left is ended as the back end opens, before its first sandbox; afterwards there is nothing. */
  async clean(): Promise<void> {
    if (this.#host !== undefined) return;
    await this.cgroups?.clean();
    await Promise.all(
      ["environments", "etc"].map((name) =>
        rm(join(this.#options.folder, name), { recursive: true, force: true }),
      ),
    );
  }

  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    this.#sweep?.cancel();
    const host = await this.#host?.catch(() => undefined);
    await host?.close();
    await this.cgroups?.close();
    await this.networks.close();
  }

  idle(sandbox: Freezable): void {
    this.#idle.add(sandbox);
    this.#sweep ??= this.clock.after(this.#freezeMs, () => this.#freeze());
  }

  /** One timer for all: an environment that is used all the time costs nothing here. */
  #freeze(): void {
    this.#sweep = undefined;
    const now = this.clock.monotonic();
    for (const sandbox of this.#idle)
      if (sandbox.freezeIfIdle(now, this.#freezeMs)) this.#idle.delete(sandbox);
    if (this.#idle.size > 0) this.#sweep = this.clock.after(this.#freezeMs, () => this.#freeze());
  }

  onProblem(error: unknown): void {
    this.#options.onProblem?.(error);
  }
}

/** The name of a platform's control groups. */
export function instanceTag(instance: string): string {
  return instance.replaceAll(/[^a-zA-Z0-9_-]/g, "_").slice(-48);
}
