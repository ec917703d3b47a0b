import { findProcesses } from "./proc.ts";

/** Sends a signal; a process that is gone is no error. Negative numbers are process groups. */
export function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch {
    // ESRCH: gone already. EPERM: a recycled number of another user's process.
  }
}

/**
 * Ends processes that left their environment's process group (setsid, double fork). One look through /proc serves all
 * environments that died since the last one.
 */
export class Reaper {
  #markers: string[] = [];
  #running: Promise<void> = Promise.resolve();
  #next: Promise<void> | undefined;

  /** Resolves when no process of this marker is left, as far as /proc tells. */
  sweep(marker: string): Promise<void> {
    this.#markers.push(marker);
    this.#next ??= this.#running = this.#running.then(() => this.#pass());
    return this.#next;
  }

  async #pass(): Promise<void> {
    this.#next = undefined;
    const markers = this.#markers;
    this.#markers = [];
    // Again after a kill, for what was forked meanwhile; a sandbox without pid namespace cannot promise more.
    for (let round = 0; round < 5; round++) {
      const found = await findProcesses(markers);
      if (found.length === 0) return;
      for (const pid of found) signal(pid, "SIGKILL");
    }
  }
}
