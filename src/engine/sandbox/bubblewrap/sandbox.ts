import { createHash } from "node:crypto";
import { mkdirSync } from "node:fs";
import { rm } from "node:fs/promises";
import type { Socket } from "node:net";
import { join } from "node:path";
import { afterReading } from "#core/event-loop";
import { signalOfStatus } from "#core/signals";
import type { Sandbox, SandboxExit, SandboxListener, SandboxOptions, Specialisation } from "../contract.ts";
import type { Cgroup } from "../cgroups/contract.ts";
import { oomKilled, peakOf } from "../cgroups/memory.ts";
import type { ScratchDisk } from "../disk/contract.ts";
import type { EnvironmentNetwork } from "../network/contract.ts";
import type { Freezable } from "../idle.ts";
import type { Watched } from "../memory-watch.ts";
import type { GuestListener } from "../spawner/spawner.ts";
import { makeRecalls, recall } from "../recalls.ts";
import { continueTree, stopTree } from "../stop.ts";
import { MOST_PROCESSES } from "./arguments.ts";
import type { ImagePaths, SandboxShape } from "./arguments.ts";
import type { GuestHost } from "./guest-host.ts";
import type { SandboxParts } from "./parts.ts";

/** How long streams may take to end after every writer has: they end at once, unless the host is out of order. */
const STREAMS_MS = 2000;
/** How often the peak of memory is read from the kernel at most. */
const PEAK_MS = 250;

/** One environment in bubblewrap. Its resources are had one after the other; what was had is given back in `#end`. */
export class BubblewrapSandbox implements Sandbox, GuestListener, Freezable, Watched {
  readonly id: string;
  pid: number | undefined;
  recall: Sandbox["recall"];
  readonly #parts: SandboxParts;
  readonly #options: SandboxOptions;
  readonly #listener: SandboxListener;
  readonly #ended: Promise<void>;
  readonly #booted: Promise<void>;
  readonly #streams = new Map<number, Socket>();
  #host: GuestHost | undefined;
  #disk: ScratchDisk | undefined;
  #network: EnvironmentNetwork | undefined;
  #cgroup: Cgroup | undefined;
  readonly #users: number[] = [];
  /** The file that tells its guest of recalls. */
  #recalls: string | undefined;
  /** Whether the spawner has been asked for it. */
  #started = false;
  #pending: Uint8Array[] | undefined = [];
  #running = false;
  /** Counted among those that are starting. */
  #starting = true;
  #said = "";
  #cause: SandboxExit["cause"];
  #busy = true;
  #idleSince = 0;
  /** Where there is no control group to freeze. */
  #stopped: readonly number[] = [];
  #peakKb = 0;
  #peakAt = -Infinity;
  #exit: (exit: SandboxExit) => void = () => undefined;

  constructor(parts: SandboxParts, options: SandboxOptions, listener: SandboxListener) {
    this.id = options.id;
    this.#parts = parts;
    this.#options = options;
    this.#listener = listener;
    const exited = new Promise<SandboxExit>((resolve) => {
      this.#exit = resolve;
    });
    this.#ended = exited.then((exit) => this.#end(exit));
    parts.starts.began();
    this.#booted = this.#boot();
    this.#booted.catch((error: unknown) => this.#exit(failed(error)));
  }

  async #boot(): Promise<void> {
    const { id, memoryMb, ephemeralStorageMb, command, args, environment, mounts, root } = this.#options;
    const { users, cgroups, networks, etc, walls } = this.#parts;
    const host = await this.#parts.host();
    const { spawner, disks } = host;
    this.#host = host;
    if (users !== undefined) while (this.#users.length < walls.users) this.#users.push(users.take());
    const tooLarge = (): void => void this.kill();
    const settled = await Promise.allSettled([
      disks.take(id, ephemeralStorageMb, tooLarge).then((disk) => {
        this.#disk = disk;
        disk.busy = this.#busy;
        return disk;
      }),
      networks.acquire(id, this.#options.network).then(async (network) => {
        this.#network = network;
        const [folder, hosts] = await Promise.all([etc.for(network, spawner.run), etc.hosts(network)]);
        const [stagedEtc, stagedHosts] = await Promise.all([
          spawner.stage(folder),
          spawner.stage(hosts.folder),
        ]);
        return { network, etc: stagedEtc, hosts: join(stagedHosts, hosts.name) };
      }),
      Promise.all(
        mounts.map(async ({ source, target }) => ({ source: await spawner.stage(source), target })),
      ),
      root === undefined ? undefined : spawner.stage(root).then((staged) => ({ root: staged })),
      root === undefined && !walls.needsTools
        ? undefined
        : this.#parts.tools().then(({ folder }) => spawner.stage(folder)),
    ]);
    for (const result of settled) if (result.status === "rejected") throw result.reason;
    const [disk, connected, staged, image, tools] = settled.map(
      (result) => (result as PromiseFulfilledResult<unknown>).value,
    ) as [
      ScratchDisk,
      { network: EnvironmentNetwork; etc: string; hosts: string },
      typeof mounts,
      ImagePaths | undefined,
      string | undefined,
    ];
    const { network } = connected;
    if (this.#cause !== undefined) throw new Error("killed before it started");
    this.#cgroup = cgroups?.create(id, { memoryMb, pids: MOST_PROCESSES });
    makeFolders(join(spawner.environments, id));
    const folder = spawner.staged(join(spawner.environments, id));
    const shape: SandboxShape = {
      hostname: hostname(id, network.guestAddress),
      unshareNetwork: network.unshare,
      filtered: host.filter !== undefined,
      environment,
      cwd: this.#options.cwd ?? "/",
      paths: {
        etc: connected.etc,
        hosts: connected.hosts,
        tmp: spawner.staged(disk.path),
        task: join(folder, "task"),
        opt: join(folder, "opt"),
        emptyFolder: host.emptyFolder,
        emptyFile: host.emptyFile,
        mounts: staged,
        image,
        tools,
      },
    };
    const [user] = this.#users;
    const enter = this.#parts.enter(network);
    const raised = await walls.raise({
      id,
      host,
      enter,
      network,
      users: this.#users,
      shape,
      mounts,
      command,
      args,
    });
    // Killed meanwhile, its control group may be gone.
    if (this.#killed()) throw new Error("killed before it started");
    const own = user === undefined ? undefined : { path: shape.paths.tmp, uid: user };
    this.#started = true;
    spawner.start({ id, ...raised, own, recalls: this.#openRecalls(host) }, this);
  }

  /** @returns the file that its guest is to have open, where it is to have one */
  #openRecalls({ recalls }: GuestHost): string | undefined {
    if (this.#options.prefetches !== true || !this.#parts.walls.recalls) return undefined;
    const path = join(recalls.folder, this.id);
    makeRecalls(path);
    this.#recalls = path;
    this.recall = (count) => recall(path, count);
    return join(recalls.staged, this.id);
  }

  stream(descriptor: 1 | 2 | 3 | 4, socket: Socket): void {
    this.#streams.set(descriptor, socket);
    socket.on("error", () => {
      // EPIPE and ECONNRESET: the guest is gone, which its exit tells.
    });
    switch (descriptor) {
      case 1:
      case 2:
        socket.on("data", (chunk: Buffer) => {
          if (!this.#running && descriptor === 2) this.#said = (this.#said + chunk.toString()).slice(-2000);
          this.#listener.output(descriptor, chunk);
        });
        return;
      case 3: {
        const pending = this.#pending ?? [];
        this.#pending = undefined;
        for (const bytes of pending) socket.write(bytes);
        // Nothing is read from it, but its end has to be seen.
        socket.resume();
        return;
      }
      case 4:
        socket.on("data", (chunk: Buffer) => {
          if (!this.#running) this.#runs();
          this.#listener.frames(chunk);
        });
    }
  }

  /** It has said something: its walls stand, and all that it was started from is its own. */
  #runs(): void {
    this.#running = true;
    this.#raised();
    this.#disk?.held().catch((error: unknown) => this.#parts.onProblem(error));
  }

  #raised(): void {
    if (this.#starting) this.#parts.starts.raised();
    this.#starting = false;
  }

  child(pid: number): void {
    this.pid = pid;
    this.#parts.memory?.add(this);
    try {
      // One process, with no child and no thread yet: nothing of the guest is ever outside.
      this.#cgroup?.add(pid);
    } catch (error) {
      this.#exitError = error;
      return this.#killGuest();
    }
    if (this.#cause === undefined) this.#host?.spawner.go(this.id);
    else this.#killGuest();
  }

  #exitError: unknown;

  exit(status: number | undefined, signal: string | undefined, error: string | undefined): void {
    this.pid = undefined;
    this.#stopped = [];
    this.#parts.memory?.remove(this);
    this.#listener.exiting();
    if (this.#exitError !== undefined) return this.#exit(failed(this.#exitError));
    if (error !== undefined) return this.#exit(failed(new Error(error)));
    // bwrap tells the end by a signal as a shell does.
    const name = signalOfStatus(status);
    this.#exit({
      status: name === undefined ? status : undefined,
      signal: name ?? signal,
      cause: this.#cause,
      error: this.#neverRan(status) ? new Error(this.#said.trim()) : undefined,
    });
  }

  /** Whether it was the walls that failed, and not the guest. */
  #neverRan(status: number | undefined): boolean {
    return !this.#running && this.#parts.walls.neverRan(status, this.#said);
  }

  async specialise({ code, layers }: Specialisation): Promise<void> {
    await this.#booted;
    // An image is all of its function's files.
    if (this.#options.root !== undefined) return;
    const host = this.#host;
    if (host === undefined) return;
    const give = async (tree: string, at: "task" | "opt"): Promise<void> => {
      if (!host.trees.link(tree, join(host.spawner.environments, this.id, at)))
        await host.spawner.bind(this.id, tree, at);
    };
    await Promise.all([give(code, "task"), layers === undefined ? undefined : give(layers, "opt")]);
  }

  initialised(): void {
    this.#parts.starts.ended();
    this.#cgroup?.setCpu(this.#options.memoryMb);
  }

  readonly connect = (port: number): Promise<Socket> =>
    this.#network?.connect(port) ?? Promise.reject(new Error("the environment has no network"));

  send(bytes: Uint8Array): void {
    if (this.#pending !== undefined) this.#pending.push(bytes);
    else {
      const input = this.#streams.get(3);
      if (input !== undefined && !input.destroyed) input.write(bytes);
    }
  }

  get busy(): boolean {
    return this.#busy;
  }

  set busy(busy: boolean) {
    if (busy === this.#busy) return;
    this.#busy = busy;
    if (this.#disk !== undefined) this.#disk.busy = busy;
    if (busy) this.#thaw();
    else {
      this.#idleSince = this.#parts.clock.monotonic();
      this.#parts.idle.add(this);
    }
  }

  freezeIfIdle(now: number, idleMs: number): boolean {
    if (this.#busy || this.pid === undefined) return true;
    if (now - this.#idleSince < idleMs) return false;
    if (this.#cgroup === undefined) this.#stopped = stopTree(this.pid);
    else
      this.#cgroup.freeze().catch(() => {
        // It died or was given something to do meanwhile.
      });
    return true;
  }

  #thaw(): void {
    this.#cgroup?.thaw();
    continueTree(this.#stopped);
    this.#stopped = [];
  }

  get peakRssKb(): number {
    const now = this.#parts.clock.monotonic();
    if (this.#cgroup !== undefined && now - this.#peakAt > PEAK_MS) {
      this.#peakAt = now;
      this.#peakKb = Math.max(this.#peakKb, peakOf(this.#cgroup));
    }
    return this.#peakKb;
  }

  /** Told by the watch, where there is no control group. */
  set peakRssKb(peak: number) {
    this.#peakKb = peak;
  }

  get memoryLimitKb(): number {
    return this.#options.memoryMb * 1024;
  }

  killForMemory(): void {
    this.#cause ??= "memory";
    this.#killGuest();
  }

  kill(): Promise<void> {
    this.#cause ??= "killed";
    this.#cgroup?.kill();
    this.#killGuest();
    return this.#ended;
  }

  #killGuest(): void {
    if (!this.#started) return;
    this.#host?.spawner.kill(this.id);
    this.#parts.walls.release(this.id);
  }

  #killed(): boolean {
    return this.#cause !== undefined;
  }

  async #end(exit: SandboxExit): Promise<void> {
    const cgroup = this.#cgroup;
    const host = this.#host;
    const network = this.#network;
    this.#raised();
    // Its address will be another's.
    this.#network = undefined;
    // Nothing of it runs any more but where the spawner died under it; a frozen process does not follow its parent.
    cgroup?.kill();
    await this.#drained();
    const outOfMemory = cgroup !== undefined && this.#cause === undefined && oomKilled(cgroup);
    if (cgroup !== undefined) this.#peakKb = Math.max(this.#peakKb, peakOf(cgroup));
    this.#listener.exited(outOfMemory ? { ...exit, cause: "memory" } : exit);
    for (const stream of this.#streams.values()) stream.destroy();
    const results = await Promise.allSettled([
      (async () => {
        await cgroup?.remove();
        this.#cgroup = undefined;
        await this.#disk?.release();
      })(),
      network === undefined ? undefined : this.#parts.networks.release(network),
      host === undefined ? undefined : this.#removeFolder(host),
      this.#recalls === undefined ? undefined : rm(this.#recalls, { force: true }),
      host === undefined ? undefined : this.#parts.walls.fallen(this.id, host),
    ]);
    for (const user of this.#users) this.#parts.users?.giveBack(user);
    for (const result of results) if (result.status === "rejected") this.#parts.onProblem(result.reason);
  }

  async #removeFolder({ spawner }: GuestHost): Promise<void> {
    try {
      await spawner.remove(this.id);
    } catch {
      // The spawner's mounts went with it: what is left is a folder.
      await rm(join(spawner.environments, this.id), { recursive: true, force: true });
    }
  }

  /** All that it wrote has been passed on. */
  async #drained(): Promise<void> {
    const open = [...this.#streams.values()].filter((socket) => !socket.readableEnded && !socket.destroyed);
    if (open.length === 0) return;
    await new Promise<void>((resolve) => {
      let left = open.length;
      const timer = this.#parts.clock.after(STREAMS_MS, () => afterReading(resolve));
      for (const socket of open)
        socket.once("close", () => {
          if (--left > 0) return;
          timer.cancel();
          resolve();
        });
    });
  }
}

function failed(error: unknown): SandboxExit {
  return {
    status: undefined,
    signal: undefined,
    cause: undefined,
    error: error instanceof Error ? error : new Error(String(error)),
  };
}

/** What a sandbox binds at /var/task and /opt: empty, to be filled by `specialise`. */
function makeFolders(path: string): void {
  mkdirSync(path, { mode: 0o711 });
  for (const name of ["task", "opt"]) mkdirSync(join(path, name), { mode: 0o755 });
}

/** An environment of AWS is named by its link-local address. */
function hostname(id: string, address: string | undefined): string {
  if (address?.startsWith("169.254.") === true) return address;
  const [third = 0, fourth = 0] = createHash("sha256").update(id).digest();
  return `169.254.${third}.${Math.max(1, fourth)}`;
}
