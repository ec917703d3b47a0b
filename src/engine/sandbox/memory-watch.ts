import { treeRssKb } from "./process/proc.ts";

/** How often memory is looked at, and how many sandboxes at most in one go: a look takes about 20 µs each. */
const INTERVAL_MS = 100;
const AT_ONCE = 64;

export interface Watched {
  readonly pid: number | undefined;
  readonly busy: boolean;
  readonly memoryLimitKb: number;
  peakRssKb: number;
  killForMemory(): void;
}

/** Reads the resident memory of busy sandboxes and kills those over their limit: for hosts without a cgroup. */
export class MemoryWatch {
  readonly #sandboxes = new Set<Watched>();
  #timer: NodeJS.Timeout | undefined;
  #queue: Watched[] = [];

  add(sandbox: Watched): void {
    this.#sandboxes.add(sandbox);
    if (this.#timer === undefined) {
      this.#timer = setInterval(() => this.#look(), INTERVAL_MS);
      this.#timer.unref();
    }
  }

  remove(sandbox: Watched): void {
    this.#sandboxes.delete(sandbox);
    if (this.#sandboxes.size === 0) this.close();
  }

  close(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #look(): void {
    if (this.#queue.length === 0) this.#queue = [...this.#sandboxes].filter((sandbox) => sandbox.busy);
    for (const sandbox of this.#queue.splice(0, AT_ONCE)) {
      if (!sandbox.busy || sandbox.pid === undefined || !this.#sandboxes.has(sandbox)) continue;
      const rss = treeRssKb(sandbox.pid);
      if (rss > sandbox.peakRssKb) sandbox.peakRssKb = rss;
      if (rss > sandbox.memoryLimitKb) sandbox.killForMemory();
    }
  }
}
