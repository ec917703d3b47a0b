import { readFileSync, writeFileSync } from "node:fs";
import { directoryOf, parseCgroupMounts } from "../cgroups/mounts.ts";

/** Version 1 keeps a frozen process from dying, even of SIGKILL: lets the group of this one go on. */
export function thawFrozen(pid: number): void {
  try {
    const groups = readFileSync(`/proc/${pid}/cgroup`, "utf8");
    const mounts = parseCgroupMounts(readFileSync("/proc/self/mountinfo", "utf8"));
    const mount = mounts.find(({ controllers }) => controllers.includes("freezer"));
    const group = /^\d+:(?:[^:]*,)?freezer(?:,[^:]*)?:(.*)$/m.exec(groups)?.[1];
    if (mount === undefined || group === undefined || group === "/") return;
    const directory = directoryOf(mount, group);
    if (directory !== undefined) writeFileSync(`${directory}/freezer.state`, "THAWED");
  } catch {
    // Gone meanwhile, or a host without this freezer.
  }
}
