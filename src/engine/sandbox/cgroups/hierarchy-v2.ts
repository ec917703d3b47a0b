import { accessSync, constants, existsSync, mkdirSync, rmdirSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { numbers, read, readOr, write } from "./files.ts";
import { baseName, enforcementOf, isBaseName } from "./hierarchy.ts";
import type { Hierarchy, Leftover } from "./hierarchy.ts";
import { areOneFamily } from "./lineage.ts";
import { directoryOf } from "./mounts.ts";
import type { CgroupMount } from "./mounts.ts";
import { groupsIn, isOrphaned, isOwner, markOwner, unmarkOwner } from "./owner.ts";
import { CONTROLLERS, V2Files, createV2 } from "./v2.ts";

/** Where processes go that were in the group below which the platform makes its own: a group with processes hands on no controllers. */
const HOST = "thaw-host";

interface Place {
  readonly parent: string;
  /** Whether the processes in `parent` have to make room. */
  readonly move: boolean;
}

/**
 * The platform's group in the version 2 hierarchy: in the group it was started in where that was delegated to it (such as by
 * `systemd-run --user --scope -p Delegate=yes thaw …`, or in a container), else below the nearest group above it that hands
 * the controllers on and may be written; as root, if need be, at the top.
 * @returns undefined where the user may not, or no controller is handed on
 */
export function openV2(mount: CgroupMount, membership: string, instance: string): Hierarchy | undefined {
  const own = directoryOf(mount, membership);
  const name = baseName(instance);
  for (const place of own === undefined ? [{ parent: mount.point, move: false }] : places(mount.point, own)) {
    const base = join(place.parent, name);
    const opened = open(place, base);
    if (opened !== undefined) return hierarchy(mount.point, name, base, opened);
  }
  return undefined;
}

function hierarchy(top: string, name: string, base: string, opened: Opened): Hierarchy {
  return {
    version: 2,
    killsOneOnly: false,
    create: (id, options) => createV2(join(base, id), options),
    leftovers: () =>
      find(top, (each) => each === name).flatMap((found) => [
        ...groupsIn(found)
          .filter((id) => found !== base || !isOwner(id))
          .map((id) => leftover(found, id)),
        // A platform that was started elsewhere: its own group goes too.
        ...(found === base ? [] : [leftover(dirname(found), name)]),
      ]),
    orphans: () => {
      const dead = (found: string): boolean => found !== base && isOrphaned(found) && writable(found);
      return find(top, isBaseName).flatMap((found) =>
        dead(found)
          ? [...groupsIn(found).map((id) => leftover(found, id)), leftover(dirname(found), basename(found))]
          : [],
      );
    },
    enforcement: () => enforcementOf((controller) => opened.controllers.includes(controller), 2),
    dispose: () => {
      unmarkOwner(base);
      if (existsSync(base)) rmdirSync(base);
      opened.restore();
    },
  };
}

/** Places to try, those first that offer the most controllers, then the nearest. */
function places(top: string, own: string): readonly Place[] {
  const found: Place[] = [];
  if (basename(own) === HOST) found.push({ parent: dirname(own), move: false });
  // The hierarchy's root, and no other group, lacks cgroup.type; it may have processes and children at once.
  const bare = !existsSync(join(own, "cgroup.type"));
  const inhabitants = numbers(readOr(join(own, "cgroup.procs"), ""));
  if (bare || areOneFamily(inhabitants)) found.push({ parent: own, move: !bare });
  if (process.getuid?.() === 0) found.push({ parent: top, move: false });
  for (let above = dirname(own); above.startsWith(top) && above !== dirname(top); above = dirname(above))
    if (handsOn(above).length > 0) found.push({ parent: above, move: false });
  const offered = (place: Place): number =>
    place.move || place.parent === top ? available(place.parent).length : handsOn(place.parent).length;
  return found
    .filter((place) => offered(place) > 0 && writable(place.parent))
    .toSorted((a, b) => offered(b) - offered(a));
}

interface Opened {
  readonly controllers: readonly string[];
  restore(): void;
}

function open({ parent, move }: Place, base: string): Opened | undefined {
  const before = handsOn(parent);
  const restore = move ? () => putBack(parent, before) : () => undefined;
  try {
    if (move) makeRoom(parent);
    for (const controller of available(parent)) enable(parent, controller);
    mkdirSync(base, { recursive: true });
    for (const controller of available(base)) enable(base, controller);
    const controllers = handsOn(base);
    if (controllers.length > 0) {
      markOwner(base);
      return { controllers, restore };
    }
    rmdirSync(base);
  } catch {
    // Not allowed after all (a namespace or a security module in the way): the next place.
  }
  restore();
  return undefined;
}

function makeRoom(parent: string): void {
  mkdirSync(join(parent, HOST), { recursive: true });
  moveAll(parent, join(parent, HOST));
}

/** Undoes `makeRoom`. Where another platform still needs it the kernel refuses, and all stays as it is. */
function putBack(parent: string, before: readonly string[]): void {
  try {
    for (const controller of handsOn(parent))
      if (!before.includes(controller)) write(join(parent, "cgroup.subtree_control"), `-${controller}`);
    moveAll(join(parent, HOST), parent);
    rmdirSync(join(parent, HOST));
  } catch {
    // It goes with the group it is in.
  }
}

function moveAll(from: string, to: string): void {
  for (let pids = numbers(read(join(from, "cgroup.procs"))); pids.length > 0;) {
    for (const pid of pids) {
      try {
        write(join(to, "cgroup.procs"), pid);
      } catch (error) {
        if (existsSync(`/proc/${pid}`)) throw error;
      }
    }
    pids = numbers(read(join(from, "cgroup.procs")));
  }
}

function enable(group: string, controller: string): void {
  try {
    write(join(group, "cgroup.subtree_control"), `+${controller}`);
  } catch {
    // What is missing in the end is told by `enforcement`.
  }
}

function available(group: string): readonly string[] {
  return wanted(readOr(join(group, "cgroup.controllers"), ""));
}

function handsOn(group: string): readonly string[] {
  return wanted(readOr(join(group, "cgroup.subtree_control"), ""));
}

function wanted(list: string): readonly string[] {
  const names = list.trim().split(" ");
  return CONTROLLERS.filter((controller) => names.includes(controller));
}

function writable(group: string): boolean {
  try {
    for (const name of [".", "cgroup.procs", "cgroup.subtree_control"])
      accessSync(join(group, name), constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

/** Groups whose names match, those within them left out. */
function find(path: string, matches: (name: string) => boolean): readonly string[] {
  return groupsIn(path).flatMap((child) =>
    matches(child) ? [join(path, child)] : find(join(path, child), matches),
  );
}

function leftover(parent: string, id: string): Leftover {
  return { id, files: new V2Files(join(parent, id)) };
}
