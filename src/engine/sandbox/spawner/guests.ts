import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { chownSync, closeSync, openSync, readFileSync } from "node:fs";
import type { Socket } from "node:net";
import type { Readable } from "node:stream";
import { RECALLS_DESCRIPTOR } from "../recalls.ts";
import { thawFrozen } from "./frozen.ts";
import type { GuestStart, Report } from "./protocol.ts";

const STREAMS = [1, 2, 3, 4] as const;
const INFO = 5;
const BLOCK = 6;
const ARGUMENTS = 8;

/** How long a killed process-id namespace may take to vanish, and how often that is looked at. */
const GONE_MS = 10_000;
const LOOK_MS = 2;

/** How long the walls' program may take to tell of the guest's first process before it is ended without that. */
const TELLS_MS = 5000;

interface Guest {
  readonly process: ChildProcess;
  pid: number | undefined;
  /** To be ended as soon as its first process is known. */
  ending: NodeJS.Timeout | undefined;
}

export type Tell = (report: Report, socket?: Socket) => void;

/** The guests of one spawner. */
export class Guests {
  readonly #guests = new Map<string, Guest>();
  readonly #tell: Tell;

  constructor(tell: Tell) {
    this.#tell = tell;
  }

  start({ id, argv, inherit, own, secret, recalls }: GuestStart): void {
    const [program = "", ...args] = argv;
    const files: number[] = [];
    const open = (path: string): number => {
      const file = openSync(path, "r");
      files.push(file);
      return file;
    };
    try {
      if (own !== undefined) chownSync(own.path, own.uid, own.uid);
      const stdio: ("ignore" | "pipe" | number)[] = [
        "ignore",
        "pipe",
        "pipe",
        "pipe",
        "pipe",
        "pipe",
        "pipe",
      ];
      stdio.push(inherit === undefined ? "ignore" : open(inherit), "pipe");
      if (recalls !== undefined) stdio[RECALLS_DESCRIPTOR] = open(recalls);
      const process = spawn(program, args, {
        env: { PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin" },
        // A session of its own: the terminal's signals go to the platform alone.
        detached: true,
        stdio,
      });
      this.#guests.set(id, { process, pid: undefined, ending: undefined });
      process.once("error", (error) => this.#ended(id, undefined, undefined, error.message));
      process.once("exit", (status, signal) => void this.#exited(id, status, signal));
      // Handed over before the guest runs: it waits for `go`, so that nothing it writes can be lost on the way.
      for (const descriptor of STREAMS) {
        const socket = process.stdio[descriptor] as Socket;
        socket.on("error", ignore);
        this.#tell({ kind: "stream", id, descriptor }, socket);
      }
      const hidden = process.stdio[ARGUMENTS as number] as Socket;
      hidden.on("error", ignore);
      hidden.end(secret.map((part) => `${part}\0`).join(""));
      this.#readInfo(id, process.stdio[INFO as number] as Readable);
    } catch (error) {
      this.#ended(id, undefined, undefined, (error as Error).message);
    } finally {
      for (const file of files) closeSync(file);
    }
  }

  #readInfo(id: string, info: Readable): void {
    let text = "";
    info.on("error", ignore);
    info.on("data", (chunk: Buffer) => {
      text += chunk.toString("latin1");
      const pid = Number(/"child-pid": (\d+)/.exec(text)?.[1]);
      const guest = this.#guests.get(id);
      if (!(pid > 1) || guest === undefined || guest.pid !== undefined) return;
      guest.pid = pid;
      if (guest.ending === undefined) this.#tell({ kind: "child", id, pid });
      else end(guest);
    });
  }

  go(id: string): void {
    const block = this.#guests.get(id)?.process.stdio[BLOCK as number] as Socket | undefined;
    block?.on("error", ignore);
    block?.end("\n");
  }

  kill(id: string): void {
    const guest = this.#guests.get(id);
    if (guest !== undefined) end(guest);
  }

  /** The platform is gone: nothing of its guests may stay, frozen ones neither. Resolves when they have ended. */
  async killAll(): Promise<void> {
    for (const guest of this.#guests.values()) {
      end(guest);
      if (guest.pid !== undefined) thawFrozen(guest.pid);
    }
    const until = performance.now() + GONE_MS;
    // oxlint-disable-next-line no-await-in-loop
    while (this.#guests.size > 0 && performance.now() < until) await pause();
  }

  async #exited(id: string, status: number | null, signal: string | null): Promise<void> {
    const pid = this.#guests.get(id)?.pid;
    if (pid !== undefined) await gone(pid);
    this.#ended(id, status ?? undefined, signal ?? undefined, undefined);
  }

  #ended(
    id: string,
    status: number | undefined,
    signal: string | undefined,
    error: string | undefined,
  ): void {
    const guest = this.#guests.get(id);
    this.#guests.delete(id);
    clearTimeout(guest?.ending);
    for (const descriptor of [INFO, BLOCK, ARGUMENTS]) guest?.process.stdio[descriptor]?.destroy();
    this.#tell({ kind: "exit", id, status, signal, error });
  }
}

function ignore(): void {
  // EPIPE and ECONNRESET: the guest is gone, which its exit tells.
}

/**
 * By its first process, whose death the kernel answers with the death of all others; bwrap itself stays to tell of it. While
 * that process is not known it must not be bwrap that is killed: between its clone and its word, the one that it has cloned
 * would wait for it for ever (seen where guests were killed as they started). Nothing of the guest's runs before `go`.
 */
function end(guest: Guest): void {
  const { process: child, pid } = guest;
  if (pid === undefined) {
    guest.ending ??= setTimeout(() => child.kill("SIGKILL"), TELLS_MS);
    return;
  }
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    child.kill("SIGKILL");
  }
}

/**
 * Until the first process, and with it its namespace, is gone. One that waits to be reaped by the host's init, its parent
 * by then, is gone for our purpose: the kernel has ended all others before.
 */
async function gone(pid: number): Promise<void> {
  const until = performance.now() + GONE_MS;
  while (performance.now() < until) {
    try {
      const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
      if (stat.slice(stat.lastIndexOf(")") + 2).startsWith("Z")) return;
      process.kill(pid, "SIGKILL");
    } catch {
      return;
    }
    // oxlint-disable-next-line no-await-in-loop
    await pause();
  }
}

function pause(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, LOOK_MS));
}
