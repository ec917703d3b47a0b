import { accessSync, constants, existsSync, mkdirSync, readdirSync, rmdirSync } from "node:fs";
import { basename, join } from "node:path";
import { isGone, write } from "./files.ts";
import { baseName, enforcementOf, isBaseName } from "./hierarchy.ts";
import type { Hierarchy, Leftover } from "./hierarchy.ts";
import type { CgroupMount } from "./mounts.ts";
import { groupsIn, isOrphaned, isOwner, markOwner, unmarkOwner } from "./owner.ts";
import { V1Files, createV1, directories } from "./v1.ts";
import type { V1Paths } from "./v1.ts";

/**
 * An empty group that stays frozen. While no group at all is frozen the kernel takes the freezer's checks out of its own
 * code; the first freeze and the last thaw patch it, which costs each of them some 100 µs. This one keeps them in.
 */
const ANCHOR = "anchor";

/**
 * The platform's group at the top of each version 1 hierarchy that is seen, as other programs that run containers have it.
 * @returns undefined where there is no freezer, or the user may not
 */
export function openV1(mounts: readonly CgroupMount[], instance: string): Hierarchy | undefined {
  const base = basesOf(mounts, baseName(instance));
  if (base === undefined) return undefined;
  try {
    for (const path of directories(base)) mkdirSync(path, { recursive: true });
    const anchor = join(base.freezer, ANCHOR);
    mkdirSync(anchor, { recursive: true });
    write(join(anchor, "freezer.state"), "FROZEN");
    markOwner(base.freezer);
  } catch {
    discard(base);
    return undefined;
  }
  return {
    version: 1,
    killsOneOnly: true,
    create: (id, options) => createV1(below(base, id), options),
    leftovers: () => leftovers(base),
    orphans: () => orphans(mounts, basename(base.freezer)),
    enforcement: () => enforcementOf((controller) => base[controller] !== undefined, 1),
    dispose: () => discard(base),
  };
}

function basesOf(mounts: readonly CgroupMount[], name: string): V1Paths | undefined {
  const of = (controller: string): string | undefined => {
    const mount = mounts.find(
      (candidate) => candidate.version === 1 && candidate.controllers.includes(controller),
    );
    if (mount === undefined || !writable(mount.point)) return undefined;
    return join(mount.point, name);
  };
  const freezer = of("freezer");
  if (freezer === undefined) return undefined;
  return { freezer, memory: of("memory"), cpu: of("cpu"), cpuacct: of("cpuacct"), pids: of("pids") };
}

function below(base: V1Paths, id: string): V1Paths {
  const at = (path: string | undefined): string | undefined =>
    path === undefined ? undefined : join(path, id);
  return {
    freezer: join(base.freezer, id),
    memory: at(base.memory),
    cpu: at(base.cpu),
    cpuacct: at(base.cpuacct),
    pids: at(base.pids),
  };
}

function leftovers(base: V1Paths): { id: string; files: V1Files }[] {
  const names = new Set(
    directories(base).flatMap((path) =>
      readdirSync(path, { withFileTypes: true })
        .filter((entry) => entry.isDirectory() && entry.name !== ANCHOR && !isOwner(entry.name))
        .map((entry) => entry.name),
    ),
  );
  return [...names].map((id) => {
    const paths = below(base, id);
    // A crash while the group was made or removed leaves only some of its directories; with the freezer's again it can be handled as a whole.
    mkdirSync(paths.freezer, { recursive: true });
    return { id, files: new V1Files(paths) };
  });
}

/** A group is made first and removed last in the freezer: its names are all there are. */
function orphans(mounts: readonly CgroupMount[], own: string): Leftover[] {
  const top = basesOf(mounts, ".");
  if (top === undefined) return [];
  return groupsIn(top.freezer)
    .filter((name) => name !== own && isBaseName(name) && isOrphaned(join(top.freezer, name)))
    .flatMap((name) => {
      const base = below(top, name);
      return [...groupsIn(base.freezer).map((id) => below(base, id)), base];
    })
    .flatMap((paths) => {
      try {
        return { id: paths.freezer, files: new V1Files(paths) };
      } catch (error) {
        // Another platform that starts at the same time removes it, too.
        if (isGone(error)) return [];
        throw error;
      }
    });
}

function discard(base: V1Paths): void {
  unmarkOwner(base.freezer);
  for (const path of [join(base.freezer, ANCHOR), ...directories(base)]) {
    try {
      if (existsSync(path)) rmdirSync(path);
    } catch (error) {
      if (!isGone(error)) throw new Error(`${basename(path)}: ${String(error)}`, { cause: error });
    }
  }
}

function writable(path: string): boolean {
  try {
    accessSync(path, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}
