import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { closeSync, mkdirSync, openSync } from "node:fs";
import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import type { Duplex, Readable } from "node:stream";
import { systemClock } from "#core/clock";
import type {
  Enforcement,
  Sandbox,
  SandboxBackend,
  SandboxExit,
  SandboxListener,
  SandboxOptions,
} from "../contract.ts";
import { inheritable, withoutOthers } from "../descriptors.ts";
import { IdleSweep } from "../idle.ts";
import type { Freezable } from "../idle.ts";
import { MemoryWatch } from "../memory-watch.ts";
import { makeRecalls, recall, RECALLS_DESCRIPTOR } from "../recalls.ts";
import { continueTree, stopTree } from "../stop.ts";
import { connectToLoopback, listenOnLoopback } from "./loopback.ts";
import { Lifeline } from "./lifeline.ts";
import { Reaper, signal } from "./reaper.ts";

const ENFORCEMENT: readonly Enforcement[] = [
  { limit: "timeout", level: "enforced", how: "the platform's timer; the whole environment is killed" },
  { limit: "payload and response size", level: "enforced", how: "counted by the platform" },
  { limit: "concurrency", level: "enforced", how: "counted by the platform" },
  {
    limit: "memory",
    level: "watched",
    how: "resident memory is read while a function runs, and the environment killed over MemorySize; Node.js also gets a heap limit",
  },
  {
    limit: "freeze",
    level: "watched",
    how: "SIGSTOP to what an idle environment has started, but for what has left its parents",
  },
  { limit: "cpu", level: "not enforced", how: "needs a cgroup" },
  { limit: "processes and descriptors", level: "not enforced", how: "needs a cgroup" },
  {
    limit: "ephemeral storage size",
    level: "not enforced",
    how: "TMPDIR is private to the environment, without a quota",
  },
  {
    limit: "file system",
    level: "not enforced",
    how: "functions see the host's files with the platform's user",
  },
  { limit: "network", level: "not enforced", how: "functions share the host's network" },
];

export interface ProcessBackendOptions {
  /** A folder of this back end's own, emptied by `clean`. */
  readonly folder: string;
}

/** Environments as plain processes, each in a session of its own: for hosts that allow nothing stronger. */
export function processBackend(options: ProcessBackendOptions): SandboxBackend {
  const reaper = new Reaper();
  const watch = new MemoryWatch();
  const lifeline = new Lifeline();
  const idle = new IdleSweep(systemClock);
  // Once: the storage, which opens them, stays open, and to look takes longer the more environments there are.
  const inherited = inheritable();
  return {
    name: "process",
    layout: "host",
    paths: (id, { code, layers }) => ({ task: code, opt: layers, tmp: join(options.folder, id, "tmp") }),
    endpointUrl: (url) => url,
    openRuntimeApi: (_id, guest) => listenOnLoopback(guest),
    start(sandboxOptions, listener) {
      const { network } = sandboxOptions;
      if (network !== undefined)
        throw new Error(`a function with THAW_NETWORK=${network} needs the sandbox bubblewrap or oci`);
      const shared = { reaper, watch, lifeline, idle, inherited };
      return new ProcessSandbox(options.folder, shared, sandboxOptions, listener);
    },
    enforcement: () => ENFORCEMENT,
    clean: async () => {
      await reaper.sweep(`TMPDIR=${options.folder}/`);
      await rm(options.folder, { recursive: true, force: true });
      await mkdir(options.folder, { recursive: true });
    },
    close: async () => {
      idle.close();
      watch.close();
      lifeline.close();
    },
  };
}

/** What all sandboxes of a back end share. */
interface Shared {
  readonly reaper: Reaper;
  readonly watch: MemoryWatch;
  readonly lifeline: Lifeline;
  readonly idle: IdleSweep;
  /** Descriptors that guests must not have. */
  readonly inherited: readonly number[];
}

class ProcessSandbox implements Sandbox, Freezable {
  readonly id: string;
  readonly memoryLimitKb: number;
  readonly recall: Sandbox["recall"];
  peakRssKb = 0;
  readonly #folder: string;
  readonly #tmp: string;
  readonly #child: ChildProcess;
  readonly #reaper: Reaper;
  readonly #watch: MemoryWatch;
  readonly #lifeline: Lifeline;
  readonly #idle: IdleSweep;
  readonly #listener: SandboxListener;
  #busy = true;
  #idleSince = 0;
  #stopped: readonly number[] = [];
  readonly #input: Duplex;
  #cause: SandboxExit["cause"];
  #ended: Promise<void>;

  constructor(
    folder: string,
    { reaper, watch, lifeline, idle, inherited }: Shared,
    options: SandboxOptions,
    listener: SandboxListener,
  ) {
    this.id = options.id;
    this.#folder = join(folder, options.id);
    this.#tmp = join(this.#folder, "tmp");
    this.memoryLimitKb = options.memoryMb * 1024;
    this.#reaper = reaper;
    this.#watch = watch;
    this.#lifeline = lifeline;
    this.#idle = idle;
    this.#listener = listener;
    mkdirSync(this.#tmp, { recursive: true, mode: 0o700 });
    const stdio = withoutOthers(["ignore", "pipe", "pipe", "pipe", "pipe"], inherited);
    const recalls = options.prefetches === true ? join(this.#folder, "recalls") : undefined;
    let opened: number | undefined;
    if (recalls !== undefined) {
      makeRecalls(recalls);
      this.recall = (count) => recall(recalls, count);
      while (stdio.length < RECALLS_DESCRIPTOR) stdio.push("ignore");
      opened = openSync(recalls, "r");
      stdio[RECALLS_DESCRIPTOR] = opened;
    }
    try {
      this.#child = spawn(options.command, options.args, {
        cwd: options.cwd ?? this.#tmp,
        env: { ...options.environment, TMPDIR: this.#tmp },
        // A session of its own: signals of the terminal do not reach it, and the group can be killed as one.
        detached: true,
        stdio,
      });
    } finally {
      if (opened !== undefined) closeSync(opened);
    }
    const [, out, err, input, frames] = this.#child.stdio;
    this.#input = input as Duplex;
    const ignore = (): void => undefined;
    // EPIPE and ECONNRESET: the guest is gone, which `exit` tells.
    for (const stream of [out, err, input, frames]) stream?.on("error", ignore);
    (frames as Readable).on("data", (chunk: Buffer) => listener.frames(chunk));
    (out as Readable).on("data", (chunk: Buffer) => listener.output(1, chunk));
    (err as Readable).on("data", (chunk: Buffer) => listener.output(2, chunk));
    this.#ended = new Promise((resolve) => {
      this.#child.once("error", (error) => {
        if (this.#child.pid === undefined) resolve(this.#end(undefined, undefined, error));
      });
      this.#child.once("exit", (status, name) => resolve(this.#end(status ?? undefined, name ?? undefined)));
    });
    watch.add(this);
    if (this.#child.pid !== undefined) lifeline.add(this.#child.pid);
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  get busy(): boolean {
    return this.#busy;
  }

  set busy(busy: boolean) {
    if (busy === this.#busy) return;
    this.#busy = busy;
    if (busy) {
      continueTree(this.#stopped);
      this.#stopped = [];
    } else {
      this.#idleSince = systemClock.monotonic();
      this.#idle.add(this);
    }
  }

  freezeIfIdle(now: number, idleMs: number): boolean {
    const { pid, exitCode, signalCode } = this.#child;
    if (this.#busy || pid === undefined || exitCode !== null || signalCode !== null) return true;
    if (now - this.#idleSince < idleMs) return false;
    this.#stopped = stopTree(pid);
    return true;
  }

  /** Guests of this back end see the host's folders as they are. */
  async specialise(): Promise<void> {}

  initialised(): void {}

  readonly connect = (port: number): Promise<Duplex> => connectToLoopback(port);

  send(bytes: Uint8Array): void {
    if (!this.#input.destroyed) this.#input.write(bytes);
  }

  killForMemory(): void {
    this.#cause ??= "memory";
    this.#signalGroup();
  }

  kill(): Promise<void> {
    this.#cause ??= "killed";
    if (this.#child.exitCode === null && this.#child.signalCode === null) this.#signalGroup();
    return this.#ended;
  }

  #signalGroup(): void {
    if (this.#child.pid !== undefined) signal(-this.#child.pid, "SIGKILL");
  }

  async #end(status: number | undefined, name: string | undefined, error?: Error): Promise<void> {
    this.#watch.remove(this);
    this.#stopped = [];
    this.#listener.exiting();
    const closed = new Promise<void>((resolve) => {
      this.#child.once("close", () => resolve());
      if (error !== undefined) resolve();
    });
    // The first process is gone but its number is still its group's while any member lives.
    this.#signalGroup();
    if (this.#child.pid !== undefined) this.#lifeline.remove(this.#child.pid);
    const swept = error === undefined ? this.#reaper.sweep(`TMPDIR=${this.#tmp}`) : Promise.resolve();
    // `close` comes when every writer of the pipes is gone, with all that they wrote; one that escaped the group holds
    // it back until the sweep has found it.
    await Promise.race([closed, swept.then(nextTurn)]);
    this.#listener.exited({ status, signal: name, cause: this.#cause, error });
    await swept;
    for (const stream of this.#child.stdio) stream?.destroy();
    await rm(this.#folder, { recursive: true, force: true, maxRetries: 3 });
  }
}

async function nextTurn(): Promise<void> {
  for (let turn = 0; turn < 3; turn++) await new Promise((resolve) => setImmediate(resolve));
}
