import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { existsSync } from "node:fs";
import { Socket } from "node:net";
import { fileURLToPath } from "node:url";
import { withoutOthers } from "../descriptors.ts";
import type { GuestStart, Report, Request } from "./protocol.ts";

export interface SpawnerOptions {
  /** On disk, the platform's own; see `Spawner.environments` and `disks`. */
  readonly folder: string;
  /** Argument vector that enters the user namespace in which guests are made; empty for root in its own. */
  readonly enter: readonly string[];
  /** Whether a user namespace must be made: for an ordinary user, unless `enter` leads to one. */
  readonly newUser: boolean;
  /** The compiled `spawner-main.ts`; by default the one beside this module, which is right once both are compiled. */
  readonly script?: string | undefined;
}

/** What a guest tells its owner. */
export interface GuestListener {
  /** The socket of one of its descriptors; the owner's from now on. */
  stream(descriptor: 1 | 2 | 3 | 4, socket: Socket): void;
  /** Its first process waits for `go`. */
  child(pid: number): void;
  exit(status: number | undefined, signal: string | undefined, error: string | undefined): void;
}

interface Waiting {
  resolve(output: string): void;
  reject(error: Error): void;
}

/**
 * Folders over which the stage may be mounted, in the spawner's own view of the host: one that exists everywhere, that
 * every user may walk, and under which nothing lies that guests need.
 */
const STAGES = ["/dev/shm", "/media", "/srv", "/mnt"];

/**
 * The process that forks guests: a fork of the platform's own process would hold up its main thread for as long as the
 * kernel copies its page tables (2 to 4 ms). It ends with the platform, however that ends, and everything else with it.
 */
export class Spawner {
  /** Where environments' folders and scratch disks are, on disk. */
  readonly environments: string;
  readonly disks: string;
  /** The same, and what was staged, as guests' users may walk to them; in the spawner's mount namespace alone. */
  readonly stageFolder: string;
  /** Resolves when it has ended, for whatever reason. */
  readonly ended: Promise<void>;
  readonly #child: ChildProcess;
  readonly #guests = new Map<string, GuestListener>();
  readonly #waiting = new Map<number, Waiting>();
  readonly #staged = new Map<string, Promise<string>>();
  /** Trees that were mounted on environments' folders: the spawner has staged them by itself. */
  readonly #bound = new Set<string>();
  #lastSeq = 0;
  #dead = false;

  private constructor(child: ChildProcess, folder: string, stageFolder: string) {
    this.#child = child;
    this.stageFolder = stageFolder;
    this.environments = `${folder}/environments`;
    this.disks = `${folder}/disks`;
    child.on("message", (message, handle) => this.#report(message as Report, handle));
    this.ended = new Promise((resolve) => {
      child.once("exit", () => {
        this.#died();
        resolve();
      });
    });
  }

  /** @throws Error where the host lets this user have no mount namespace */
  static async open({ folder, enter, newUser, script }: SpawnerOptions): Promise<Spawner> {
    const main = script ?? fileURLToPath(new URL("./spawner-main.js", import.meta.url));
    const stage = STAGES.find(
      (each) =>
        existsSync(each) &&
        [folder, main, process.execPath].every((path) => !`${path}/`.startsWith(`${each}/`)),
    );
    if (stage === undefined)
      throw new Error(`none of ${STAGES.join(", ")} is there and free of Thaw's own files`);
    const [program = "", ...args]: readonly string[] = [
      ...enter,
      "unshare",
      ...(newUser ? ["--user", "--map-root-user"] : []),
      "--mount",
      "--propagation",
      "private",
      process.execPath,
      "--max-old-space-size=32",
      "--max-semi-space-size=1",
      main,
    ];
    const child = spawn(program, args, {
      // What the spawner has open, guests have open.
      stdio: withoutOthers(["pipe", "ignore", "pipe", "ipc"]),
      detached: true,
      env: { PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin" },
    });
    child.stdin?.on("error", () => undefined);
    let said = "";
    child.stderr?.setEncoding("utf8").on("data", (text: string) => {
      said = (said + text).slice(-4000);
    });
    await new Promise<void>((resolve, reject) => {
      child.once("message", () => resolve());
      child.once("error", reject);
      child.once("exit", (status) =>
        reject(new Error(`the spawner ended with status ${status}: ${said.trim()}`)),
      );
    });
    const spawner = new Spawner(child, folder, stage);
    try {
      await spawner.#ask((seq) => ({ kind: "open", seq, folder, stage }));
    } catch (error) {
      await spawner.close();
      throw error;
    }
    // It does not keep the platform alive by itself; whoever waits for an answer does (`#ask`).
    child.unref();
    child.channel?.unref();
    for (const stream of [child.stdin, child.stderr] as (Socket | null)[]) stream?.unref();
    return spawner;
  }

  get dead(): boolean {
    return this.#dead;
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  /** Starts a guest; all that becomes of it is told to `listener`, its end exactly once. */
  start(start: GuestStart, listener: GuestListener): void {
    this.#guests.set(start.id, listener);
    if (!this.#send({ kind: "start", ...start })) this.#exit(start.id, "the spawner has ended");
  }

  go(id: string): void {
    this.#send({ kind: "go", id });
  }

  kill(id: string): void {
    this.#send({ kind: "kill", id });
  }

  /** Removes the folders and mounts of a guest that has ended. */
  async remove(id: string): Promise<void> {
    await this.#ask((seq) => ({ kind: "remove", seq, id }));
  }

  /** Mounts a tree on one of the folders of an environment. */
  async bind(id: string, tree: string, at: "task" | "opt"): Promise<void> {
    this.#bound.add(tree);
    await this.#ask((seq) => ({ kind: "bind", seq, id, tree, at }));
  }

  /** See `Stage.stage`; the answer is kept. */
  stage(source: string): Promise<string> {
    let staged = this.#staged.get(source);
    if (staged === undefined) {
      staged = this.#ask((seq) => ({ kind: "stage", seq, source }));
      this.#staged.set(source, staged);
      staged.catch(() => this.#staged.delete(source));
    }
    return staged;
  }

  /** Takes a source that was staged off the stage again; does nothing where it was not. */
  async unstage(source: string): Promise<void> {
    if (!this.#staged.delete(source) && !this.#bound.delete(source)) return;
    this.#bound.delete(source);
    await this.#ask((seq) => ({ kind: "unstage", seq, source }));
  }

  readonly run = (argv: readonly string[]): Promise<string> =>
    this.#ask((seq) => ({ kind: "run", seq, argv }));

  /** Where a path below `environments` or `disks` is on the stage. */
  staged(path: string): string {
    for (const [folder, name] of [
      [this.environments, "environments"],
      [this.disks, "disks"],
    ] as const)
      if (path.startsWith(`${folder}/`)) return `${this.stageFolder}/${name}${path.slice(folder.length)}`;
    throw new Error(`${path} is not on the spawner's stage`);
  }

  /** Ends it, and with it every guest that it still has. */
  async close(): Promise<void> {
    this.#child.ref();
    if (this.#child.connected) this.#child.disconnect();
    // Its end tells the spawner of the platform's, too; see there.
    this.#child.stdin?.destroy();
    await this.ended;
  }

  #ask(request: (seq: number) => Request): Promise<string> {
    const seq = ++this.#lastSeq;
    return new Promise((resolve, reject) => {
      this.#waiting.set(seq, { resolve, reject });
      this.#child.channel?.ref();
      if (!this.#send(request(seq))) this.#failed(seq, "the spawner has ended");
    });
  }

  #send(request: Request): boolean {
    if (this.#dead || !this.#child.connected) return false;
    this.#child.send(request, () => undefined);
    return true;
  }

  #report(report: Report, handle: unknown): void {
    switch (report.kind) {
      case "ready":
        return;
      case "done":
        return this.#answered(report.seq)?.resolve(report.output);
      case "failed":
        return this.#failed(report.seq, report.message);
      case "stream": {
        if (!(handle instanceof Socket)) return;
        const listener = this.#guests.get(report.id);
        if (listener === undefined) handle.destroy();
        else listener.stream(report.descriptor, handle);
        return;
      }
      case "child":
        this.#guests.get(report.id)?.child(report.pid);
        return;
      case "exit": {
        const listener = this.#guests.get(report.id);
        this.#guests.delete(report.id);
        listener?.exit(report.status, report.signal, report.error);
      }
    }
  }

  #failed(seq: number, message: string): void {
    this.#answered(seq)?.reject(new Error(message));
  }

  #answered(seq: number): Waiting | undefined {
    const waiting = this.#waiting.get(seq);
    this.#waiting.delete(seq);
    if (this.#waiting.size === 0) this.#child.channel?.unref();
    return waiting;
  }

  #exit(id: string, error: string): void {
    const listener = this.#guests.get(id);
    this.#guests.delete(id);
    queueMicrotask(() => listener?.exit(undefined, undefined, error));
  }

  #died(): void {
    this.#dead = true;
    for (const seq of this.#waiting.keys()) this.#failed(seq, "the spawner has ended");
    for (const [id, listener] of this.#guests) {
      this.#guests.delete(id);
      listener.exit(undefined, "SIGKILL", undefined);
    }
  }
}
