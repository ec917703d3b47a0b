import type { Clock, Timer } from "#core/clock";
import type { Cgroup, CgroupOptions, Cgroups } from "./contract.ts";
import { readOr } from "./files.ts";
import { Group } from "./group.ts";
import type { GroupEvents } from "./group.ts";
import { openV1 } from "./hierarchy-v1.ts";
import { openV2 } from "./hierarchy-v2.ts";
import type { Hierarchy } from "./hierarchy.ts";
import { parseCgroupMounts, parseMembership } from "./mounts.ts";

/** How often running groups are asked for out-of-memory kills under version 1; an answer takes about 10 µs. */
const WATCH_MS = 100;

export interface CgroupsOptions {
  /** Tells this platform's groups from others': the same after a restart, `[a-zA-Z0-9_-]{1,64}`. */
  readonly instance: string;
  readonly clock: Clock;
}

/** The control groups that this host lets this process have, version 2 before version 1; undefined where it has none. */
export function findCgroups({ instance, clock }: CgroupsOptions): Cgroups | undefined {
  const mounts = parseCgroupMounts(readOr("/proc/self/mountinfo", ""));
  const membership = parseMembership(readOr("/proc/self/cgroup", ""));
  for (const mount of mounts) {
    if (mount.version !== 2 || membership === undefined) continue;
    const hierarchy = openV2(mount, membership, instance);
    if (hierarchy !== undefined) return new Host(hierarchy, clock);
  }
  const hierarchy = openV1(mounts, instance);
  return hierarchy === undefined ? undefined : new Host(hierarchy, clock);
}

class Host implements Cgroups, GroupEvents {
  readonly version: 1 | 2;
  readonly #hierarchy: Hierarchy;
  readonly #clock: Clock;
  readonly #groups = new Set<Group>();
  readonly #watched = new Set<Group>();
  #timer: Timer | undefined;
  #closed = false;

  constructor(hierarchy: Hierarchy, clock: Clock) {
    this.version = hierarchy.version;
    this.#hierarchy = hierarchy;
    this.#clock = clock;
  }

  create(id: string, options: CgroupOptions): Cgroup {
    if (!/^[a-zA-Z0-9_-]{1,64}$/u.test(id)) throw new Error(`not a name for a control group: ${id}`);
    const group = new Group(id, this.#hierarchy.create(id, options), options.memoryMb, this);
    this.#groups.add(group);
    return group;
  }

  enforcement(): ReturnType<Cgroups["enforcement"]> {
    return this.#hierarchy.enforcement();
  }

  async clean(): Promise<void> {
    const ignore: GroupEvents = { running: () => undefined, removed: () => undefined };
    const own = new Set([...this.#groups].map((group) => group.id));
    for (const { id, files } of this.#hierarchy.leftovers())
      // One after the other, for a group is listed after those in it.
      // oxlint-disable-next-line no-await-in-loop
      if (!own.has(id)) await new Group(id, files, 0, ignore).remove();
    for (const { id, files } of this.#hierarchy.orphans())
      // oxlint-disable-next-line no-await-in-loop
      await new Group(id, files, 0, ignore).remove();
  }

  async close(): Promise<void> {
    await Promise.all([...this.#groups].map((group) => group.remove()));
    this.#timer?.cancel();
    if (!this.#closed) this.#hierarchy.dispose();
    this.#closed = true;
  }

  running(group: Group, running: boolean): void {
    if (!this.#hierarchy.killsOneOnly) return;
    if (running) this.#watched.add(group);
    else this.#watched.delete(group);
    this.#timer ??= this.#watch();
  }

  removed(group: Group): void {
    this.#groups.delete(group);
  }

  #watch(): Timer | undefined {
    if (this.#watched.size === 0) return undefined;
    return this.#clock.after(WATCH_MS, () => {
      for (const group of this.#watched) group.killIfOutOfMemory();
      this.#timer = this.#watch();
    });
  }
}
