import { describe, expect, it } from "vitest";
import { PERIOD_US, quotaOf } from "./cpu-share.ts";
import { keyed } from "./files.ts";
import { baseName } from "./hierarchy.ts";
import { areOneFamily } from "./lineage.ts";
import { directoryOf, parseCgroupMounts, parseMembership } from "./mounts.ts";

describe("where control groups are", () => {
  const text = [
    "25 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw",
    "36 30 0:29 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory",
    "37 30 0:30 / /sys/fs/cgroup/cpu,cpuacct rw shared:9 master:2 - cgroup cgroup rw,cpu,cpuacct",
    "38 30 0:31 /docker/ab /mnt/with\\040space rw - cgroup2 cgroup rw,nsdelegate",
    "",
  ].join("\n");

  it("is read from the list of mounts", () => {
    expect(parseCgroupMounts(text)).toEqual([
      { version: 1, controllers: ["rw", "memory"], point: "/sys/fs/cgroup/memory", root: "/" },
      { version: 1, controllers: ["rw", "cpu", "cpuacct"], point: "/sys/fs/cgroup/cpu,cpuacct", root: "/" },
      { version: 2, controllers: [], point: "/mnt/with space", root: "/docker/ab" },
    ]);
  });

  it("is found for a process's own group, if the mount shows it", () => {
    const group = parseMembership("9:name=systemd:/x\n8:pids:/\n0::/docker/ab/c:d\n");
    expect(group).toBe("/docker/ab/c:d");
    const [, , mount] = parseCgroupMounts(text);
    if (mount === undefined) throw new Error("no mount");
    expect(directoryOf(mount, "/docker/ab/c:d")).toBe("/mnt/with space/c:d");
    expect(directoryOf(mount, "/docker/ab")).toBe("/mnt/with space");
    expect(directoryOf(mount, "/docker/abc")).toBeUndefined();
    expect(directoryOf({ ...mount, root: "/" }, "/")).toBe("/mnt/with space");
    expect(parseMembership("1:cpu:/\n")).toBeUndefined();
  });

  it("is never outside of what an instance's name says", () => {
    for (const name of ["", "..", "a/b", "a b", "x".repeat(65)])
      expect(() => baseName(name)).toThrow(/not a name/u);
  });
});

describe("a family of processes", () => {
  // 1 ─ 10 ─ this ─ 30, and 1 ─ 20
  const here = process.pid;
  const parents = new Map([
    [10, 1],
    [20, 1],
    [here, 10],
    [here + 1, here],
  ]);
  const parentOf = (pid: number): number => parents.get(pid) ?? 0;

  it("is all that the eldest ancestor in the group has started", () => {
    expect(areOneFamily([here, here + 1], parentOf)).toBe(true);
    expect(areOneFamily([10, here, here + 1], parentOf)).toBe(true);
    expect(areOneFamily([10, 20, here], parentOf)).toBe(false);
    expect(areOneFamily([1, 10, 20, here], parentOf)).toBe(true);
    expect(areOneFamily([20], parentOf)).toBe(false);
    // How the kernel writes processes that cannot be seen from here.
    expect(areOneFamily([0, here], parentOf)).toBe(false);
  });
});

describe("the kernel's figures", () => {
  it("are found by their whole key", () => {
    const text = "oom 3\noom_kill 2\nkill 7\n";
    expect([keyed(text, "oom"), keyed(text, "oom_kill"), keyed(text, "kill"), keyed(text, "x")]).toEqual([
      3, 2, 7, 0,
    ]);
  });

  it("give 1,769 MB one core, and never less than the kernel takes", () => {
    expect(quotaOf(1769)).toBe(PERIOD_US);
    expect(quotaOf(10_240)).toBe(115_772);
    expect(quotaOf(128)).toBe(1447);
    expect(quotaOf(1)).toBe(1000);
  });
});
