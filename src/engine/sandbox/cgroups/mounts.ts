/** Where a cgroup hierarchy is mounted, from /proc/self/mountinfo (proc_pid_mountinfo(5)). */
export interface CgroupMount {
  readonly version: 1 | 2;
  /** Version 1: the controllers of this hierarchy. Version 2: empty; the groups themselves say. */
  readonly controllers: readonly string[];
  /** The directory it is seen at. */
  readonly point: string;
  /** The group that is seen there: `/`, or a group below in a container. */
  readonly root: string;
}

export function parseCgroupMounts(mountinfo: string): readonly CgroupMount[] {
  const mounts: CgroupMount[] = [];
  for (const line of mountinfo.split("\n")) {
    const [left, right] = line.split(" - ");
    const [type, , options] = right?.split(" ") ?? [];
    const fields = left?.split(" ") ?? [];
    const [root, point] = [fields[3], fields[4]];
    if (root === undefined || point === undefined || (type !== "cgroup" && type !== "cgroup2")) continue;
    mounts.push({
      version: type === "cgroup2" ? 2 : 1,
      controllers: type === "cgroup2" ? [] : (options?.split(",") ?? []),
      point: unescape(point),
      root: unescape(root),
    });
  }
  return mounts;
}

/** This process's group in the version 2 hierarchy, from /proc/self/cgroup; undefined where there is none. */
export function parseMembership(text: string): string | undefined {
  return /^0::(.*)$/mu.exec(text)?.[1];
}

/** The directory of a group under a mount, or undefined where the mount does not show it. */
export function directoryOf(mount: CgroupMount, group: string): string | undefined {
  const root = mount.root === "/" ? "" : mount.root;
  if (group !== root && !`${group}/`.startsWith(`${root}/`)) return undefined;
  return `${mount.point}${group.slice(root.length)}`.replace(/\/$/u, "");
}

/** The kernel writes space, tab, newline and backslash as octal escapes. */
function unescape(field: string): string {
  return field.replaceAll(/\\([0-7]{3})/gu, (_, octal: string) =>
    String.fromCharCode(Number.parseInt(octal, 8)),
  );
}
