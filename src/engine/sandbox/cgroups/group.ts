import { setTimeout as delay } from "node:timers/promises";
import type { Cgroup, CgroupStats } from "./contract.ts";
import { quotaOf } from "./cpu-share.ts";
import { codeOf } from "./files.ts";
import type { GroupFiles } from "./files.ts";

/** Nothing that can be killed at all takes longer: what is left then hangs in a device driver or a network file system. */
const REMOVAL_MS = 10_000;
const LONGEST_PAUSE_MS = 50;

export interface GroupEvents {
  /** It runs, or is stopped or gone. */
  running(group: Group, running: boolean): void;
  removed(group: Group): void;
}

/** The life of one group, over the files of either version: running ⇄ frozen, then killed, then removed. */
export class Group implements Cgroup {
  readonly id: string;
  readonly #files: GroupFiles;
  readonly #limitKb: number;
  readonly #events: GroupEvents;
  #frozen = false;
  #killed = false;
  #removal: Promise<void> | undefined;
  #peakKb = 0;
  #last: CgroupStats = { oomKilled: false, peakKb: 0, cpuUs: 0, throttledPeriods: 0 };

  constructor(id: string, files: GroupFiles, memoryMb: number, events: GroupEvents) {
    this.id = id;
    this.#files = files;
    this.#limitKb = memoryMb * 1024;
    this.#events = events;
    events.running(this, true);
  }

  get frozen(): boolean {
    return this.#frozen;
  }

  add(pid: number): void {
    if (this.#killed) throw new Error(`the control group ${this.id} has been killed`);
    this.#files.join(pid);
  }

  setCpu(memoryMb: number | undefined): void {
    if (!this.#killed) this.#files.quota(memoryMb === undefined ? undefined : quotaOf(memoryMb));
  }

  async freeze(): Promise<void> {
    if (this.#killed) return;
    if (!this.#frozen) {
      this.#frozen = true;
      this.#files.stop();
      this.#events.running(this, false);
    }
    // A process within a system call stops at its end; nearly always that has happened by the first look.
    for (let pause = 1; this.#frozen && !this.#killed && !this.#files.stopped(); pause *= 2)
      // oxlint-disable-next-line no-await-in-loop
      await delay(Math.min(pause, LONGEST_PAUSE_MS));
  }

  thaw(): void {
    if (!this.#frozen || this.#killed) return;
    this.#frozen = false;
    this.#files.go();
    this.#events.running(this, true);
  }

  get peakKb(): number {
    return this.#removal === undefined ? this.#readPeak() : this.#peakKb;
  }

  stats(): CgroupStats {
    if (this.#removal !== undefined) return this.#last;
    const oomKilled = this.#files.oomKills() > 0;
    if (oomKilled) this.#peakKb = this.#limitKb;
    this.#last = { oomKilled, peakKb: oomKilled ? this.#limitKb : this.#readPeak(), ...this.#files.cpu() };
    return this.#last;
  }

  #readPeak(): number {
    const { bytes, peakBytes, cacheBytes } = this.#files.memory();
    // The kernel's peak counts page cache. What cache there is now was most likely there at the peak; what is charged without
    // it is certain.
    const peak = Math.max(bytes, peakBytes ?? 0) - cacheBytes;
    this.#peakKb = Math.max(this.#peakKb, Math.ceil(peak / 1024));
    return this.#peakKb;
  }

  kill(): void {
    if (this.#removal !== undefined) return;
    if (!this.#killed) this.#events.running(this, false);
    this.#killed = true;
    this.#files.strike();
  }

  /** Kills the group where the kernel has ended one process of it for want of memory: version 1 leaves the others alive. */
  killIfOutOfMemory(): void {
    if (!this.#killed && this.#files.oomKills() > 0) this.kill();
  }

  remove(): Promise<void> {
    if (this.#removal === undefined) {
      this.stats();
      this.kill();
      this.#removal = this.#vanish();
    }
    return this.#removal;
  }

  async #vanish(): Promise<void> {
    const deadline = performance.now() + REMOVAL_MS;
    for (let pause = 1; ; pause = Math.min(pause * 2, LONGEST_PAUSE_MS)) {
      try {
        if (this.#files.pids().length === 0) {
          this.#files.discard();
          this.#events.removed(this);
          return;
        }
        // Again: a fork that was under way at the first strike shows its child only now.
        this.#files.strike();
      } catch (error) {
        if (codeOf(error) !== "EBUSY") throw error;
      }
      if (performance.now() > deadline)
        throw new Error(
          `control group ${this.id}: processes ${this.#files.pids().join(", ")} cannot be killed`,
        );
      // oxlint-disable-next-line no-await-in-loop
      await delay(pause);
    }
  }
}
