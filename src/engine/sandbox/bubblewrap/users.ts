import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";

/**
 * Numbers that no distribution, container manager or directory service gives out (systemd's "Users, Groups, UIDs and
 * GIDs on systemd Systems"): from 2^30 + 2^29 + … on. A platform takes a block of them by its data folder's path.
 */
const FIRST = 1_879_048_192;
const BLOCK = 16_384;
const BLOCKS = 16_000;

/** Host users of environments: each has one of its own while it lives, so that none can signal, trace or read another. */
export class GuestUsers {
  readonly #first: number;
  readonly #most: number;
  readonly #free: number[] = [];
  #next = 0;

  private constructor(first: number, most: number) {
    this.#first = first;
    this.#most = most;
  }

  /** Undefined where this process cannot become other users, or has too few of them. */
  static find(instance: string): GuestUsers | undefined {
    if (process.getuid?.() !== 0) return undefined;
    const block = createHash("sha256").update(instance).digest().readUInt32BE(0) % BLOCKS;
    const first = FIRST + block * BLOCK;
    const maps = ["uid", "gid"].map((kind) => readFileSync(`/proc/self/${kind}_map`, "latin1"));
    const mapped = (number: number): boolean =>
      maps.every((text) =>
        text.split("\n").some((line) => {
          const [inside, , count] = line.trim().split(/\s+/).map(Number);
          return inside !== undefined && count !== undefined && number >= inside && number < inside + count;
        }),
      );
    if (mapped(first) && mapped(first + BLOCK - 1)) return new GuestUsers(first, BLOCK);
    // Root of a container, which has 65,536 users as a rule: the last ones below `nobody`.
    return mapped(61_184) && mapped(65_519) ? new GuestUsers(61_184, 4336) : undefined;
  }

  take(): number {
    // The one that was given back longest ago.
    const free = this.#next < this.#most ? this.#next++ : this.#free.shift();
    if (free === undefined) throw new Error(`all ${this.#most} users of execution environments are in use`);
    return this.#first + free;
  }

  giveBack(user: number): void {
    this.#free.push(user - this.#first);
  }
}
