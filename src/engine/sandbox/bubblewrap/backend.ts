import { createHash } from "node:crypto";
import { mkdir, rm } from "node:fs/promises";
import type { Socket } from "node:net";
import { join } from "node:path";
import type { Clock } from "#core/clock";
import type { Ids } from "#core/ids";
import type { Enforcement, ExpectedSandbox, SandboxBackend } from "../contract.ts";
import { findCgroups } from "../cgroups/find.ts";
import type { EnvironmentNetwork, NetworkOptions } from "../network/contract.ts";
import { IdleSweep } from "../idle.ts";
import { Starts } from "../lull.ts";
import { openNetwork } from "../network/open.ts";
import { gatherTools } from "../tools.ts";
import type { GuestTools } from "../tools.ts";
import { enforcement } from "./enforcement.ts";
import { EtcFolders } from "./etc.ts";
import { openGuestHost } from "./guest-host.ts";
import type { GuestHost, GuestHostOptions } from "./guest-host.ts";
import { SandboxNetworks } from "./networks.ts";
import type { SandboxParts } from "./parts.ts";
import { BubblewrapSandbox } from "./sandbox.ts";
import { seccompFilter } from "./seccomp.ts";
import { bubblewrapUsable } from "./usable.ts";
import { GuestUsers } from "./users.ts";
import { bubblewrapWalls } from "./walls.ts";
import type { Walls } from "./walls.ts";

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
  /** The compiled `spawner/spawner-main.ts`. */
  readonly spawnerScript?: string;
  /** What makes the namespaces. Default: bubblewrap itself. */
  readonly walls?: Walls;
  /** Told of what could not be removed. */
  readonly onProblem?: (error: unknown) => void;
}

export interface BubblewrapBackend extends SandboxBackend {
  readonly name: Walls["name"];
  /** Lets sandboxes reach the platform's own server, which listens on `port` elsewhere: their connections come to `accept`. */
  publish(port: number, accept: (socket: Socket) => void): Promise<void>;
  /** The spawner's process; undefined while there is none. */
  readonly spawnerPid: number | undefined;
}

/**
 * Only what tells whether this host can is waited for: the platform takes requests while the spawner, the network and
 * the first disks are made, and the first invocation waits for what is left of that.
 * @throws Error that says what this host lacks
 */
export async function openBubblewrap(options: BubblewrapOptions): Promise<BubblewrapBackend> {
  const walls = options.walls ?? (await ownWalls());
  const { folder, instance, clock } = options;
  const users = GuestUsers.find(instance);
  if (process.getuid?.() === 0 && users === undefined)
    throw new Error(
      "this root has no other users to run functions as: map at least 65,536 to its user namespace",
    );
  await mkdir(folder, { recursive: true, mode: 0o711 });
  const cgroups = findCgroups({ instance: instanceTag(instance), clock });
  const starts = new Starts(clock);
  const network = openNetwork({ ...options.network, instance, clock, starts });
  const owner = { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 };
  const filter = seccompFilter(process.arch);
  return new Backend(options, {
    clock,
    walls,
    users,
    cgroups,
    networks: new SandboxNetworks(network),
    etc: new EtcFolders(join(folder, "etc")),
    starts,
    filtered: filter !== undefined,
    open: async () =>
      openGuestHost({
        folder,
        // An ordinary user's networks have a namespace of users, which is the spawner's as well: none can enter that of a
        // sibling. Root need not wait for it.
        ...(process.getuid?.() === 0
          ? { enter: [], newUser: false }
          : usersOf((await network).userNamespace)),
        script: options.spawnerScript,
        clock,
        starts,
        ids: options.ids,
        owner,
        filter,
      }),
  });
}

function usersOf(userNamespace: string | undefined): Pick<GuestHostOptions, "enter" | "newUser"> {
  if (userNamespace === undefined) return { enter: [], newUser: true };
  return {
    enter: ["nsenter", `--user=${userNamespace}`, "--preserve-credentials", "--"],
    newUser: false,
  };
}

interface Parts extends Pick<
  SandboxParts,
  "clock" | "walls" | "users" | "cgroups" | "networks" | "etc" | "starts"
> {
  readonly filtered: boolean;
  open(): Promise<GuestHost>;
}

class Backend implements BubblewrapBackend, SandboxParts {
  readonly name: Walls["name"];
  readonly layout = "aws";
  readonly clock: Clock;
  readonly walls: Walls;
  readonly users: SandboxParts["users"];
  readonly cgroups: SandboxParts["cgroups"];
  readonly networks: SandboxNetworks;
  readonly etc: EtcFolders;
  readonly starts: Starts;
  readonly #options: BubblewrapOptions;
  readonly #parts: Parts;
  readonly idle: IdleSweep;
  #tools: Promise<GuestTools> | undefined;
  /** What an earlier platform left is gone. */
  readonly #cleaned: Promise<void>;
  #host: Promise<GuestHost> | undefined;
  #current: GuestHost | undefined;
  #closed: Promise<void> | undefined;

  constructor(options: BubblewrapOptions, parts: Parts) {
    this.#options = options;
    this.#parts = parts;
    this.clock = parts.clock;
    this.walls = parts.walls;
    this.name = parts.walls.name;
    this.users = parts.users;
    this.cgroups = parts.cgroups;
    this.networks = parts.networks;
    this.etc = parts.etc;
    this.starts = parts.starts;
    this.idle = new IdleSweep(parts.clock, options.freezeMs);
    this.#cleaned = this.#clean();
    // Told to the first environment, and by `ready`.
    this.host().catch(() => undefined);
  }

  get spawnerPid(): number | undefined {
    return this.#current?.spawner.pid;
  }

  async ready(): Promise<void> {
    await Promise.all([this.host(), this.networks.ready()]);
  }

  host(): Promise<GuestHost> {
    if (this.#closed !== undefined) return Promise.reject(new Error("the sandboxes are closed"));
    this.#host ??= this.#open();
    return this.#host;
  }

  async #open(): Promise<GuestHost> {
    try {
      await this.#cleaned;
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

  enter({ namespace, userNamespace, enter }: EnvironmentNetwork): readonly string[] {
    // An ordinary user's spawner is in the namespace of users already.
    return process.getuid?.() === 0 || userNamespace === undefined || namespace === undefined
      ? enter
      : ["nsenter", `--net=${namespace}`, "--"];
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

  openRuntimeApi: SandboxBackend["openRuntimeApi"] = (id, listener, network) =>
    this.networks.openRuntimeApi(id, listener, network);

  publish(port: number, accept: (socket: Socket) => void): Promise<void> {
    return this.networks.publish(port, accept);
  }

  expect(what: ExpectedSandbox): void {
    // What fails is told to the environment that needs it.
    this.#prepare(what).catch(() => undefined);
  }

  forget(folder: string): void {
    this.#current?.trees.forget(folder);
    this.#current?.spawner.unstage(folder).catch((error: unknown) => this.onProblem(error));
  }

  async #prepare({ mounts, ephemeralStorageMb }: ExpectedSandbox): Promise<void> {
    const { spawner, disks } = await this.host();
    disks.expect(ephemeralStorageMb);
    await this.networks.expect();
    const etc = await this.etc.for(await this.networks.etc(), spawner.run);
    await Promise.all([etc, ...mounts.map(({ source }) => source)].map((source) => spawner.stage(source)));
  }

  start: SandboxBackend["start"] = (options, listener) => new BubblewrapSandbox(this, options, listener);

  enforcement(): readonly Enforcement[] {
    return enforcement({
      walls: this.walls.name,
      users: this.users !== undefined,
      filtered: this.#parts.filtered,
      others: [
        ...(this.cgroups?.enforcement() ?? []),
        ...(this.#current?.disks.enforcement() ?? []),
        ...this.networks.enforcement(),
      ],
    });
  }

  /** What an earlier platform left is ended as the back end opens, before its first sandbox. */
  clean(): Promise<void> {
    return Promise.resolve();
  }

  async #clean(): Promise<void> {
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
    this.idle.close();
    const host = await this.#host?.catch(() => undefined);
    await host?.close();
    await this.#cleaned.catch(() => undefined);
    await this.cgroups?.close();
    await this.networks.close();
  }

  onProblem(error: unknown): void {
    this.#options.onProblem?.(error);
  }
}

async function ownWalls(): Promise<Walls> {
  const use = await bubblewrapUsable();
  if (!use.usable) throw new Error(`${use.why}: ${use.remedy}`);
  return bubblewrapWalls(use.path);
}

/** The name of a platform's control groups: its own, however long the path that it is made of. */
export function instanceTag(instance: string): string {
  const hash = createHash("sha256").update(instance).digest("hex").slice(0, 8);
  return `${instance.replaceAll(/[^a-zA-Z0-9_-]/g, "_").slice(-39)}-${hash}`;
}
