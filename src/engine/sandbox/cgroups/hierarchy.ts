import type { Enforcement } from "../contract.ts";
import type { CgroupOptions } from "./contract.ts";
import type { GroupFiles } from "./files.ts";

/** A platform's own group, and what can be done below it: one implementation a version. */
export interface Hierarchy {
  readonly version: 1 | 2;
  /** Whether an out-of-memory kill ends one process of a group only, so that the rest must be looked after. */
  readonly killsOneOnly: boolean;
  create(id: string, options: CgroupOptions): GroupFiles;
  /** Groups that an earlier platform of this instance left, wherever it was. */
  leftovers(): readonly Leftover[];
  /** Groups of other platforms that died, each after those in it. */
  orphans(): readonly Leftover[];
  enforcement(): readonly Enforcement[];
  /** Removes the platform's own group, which has to be empty, and puts back what was changed for it. */
  dispose(): void;
}

export interface Leftover {
  readonly id: string;
  readonly files: GroupFiles;
}

/** The platform's own group: what `clean` looks for. */
export function baseName(instance: string): string {
  if (!/^[a-zA-Z0-9_-]{1,64}$/u.test(instance)) throw new Error(`not a name for control groups: ${instance}`);
  return `thaw-${instance}`;
}

/** Whether a group may be a platform's own. */
export function isBaseName(name: string): boolean {
  return name.startsWith("thaw-");
}

/** What is enforced by the controllers that this host hands on; freezing and killing work on every hierarchy that is used at all. */
export function enforcementOf(
  has: (controller: "memory" | "cpu" | "pids") => boolean,
  version: 1 | 2,
): readonly Enforcement[] {
  const how = `cgroup v${version}`;
  const missing = (controller: string): Omit<Enforcement, "limit"> => ({
    level: "not enforced",
    how: `the ${controller} controller is not handed on to the platform's control group`,
  });
  return [
    {
      limit: "memory",
      ...(has("memory")
        ? {
            level: "enforced",
            how: `${how}: no swap; the kernel ends ${version === 2 ? "the whole environment at once" : "a process, the platform the others within a tenth of a second"}; page cache of /tmp is reclaimed, not counted`,
          }
        : missing("memory")),
    },
    {
      limit: "cpu",
      ...(has("cpu")
        ? {
            level: "enforced",
            how: `${how}: MemorySize / 1,769 MB cores in every 20 ms; full speed during init`,
          }
        : missing("cpu")),
    },
    {
      limit: "processes",
      ...(has("pids")
        ? { level: "enforced", how: `${how}: forks beyond the limit are refused` }
        : missing("pids")),
    },
    { limit: "freeze", level: "enforced", how: `${how}: nothing of a frozen environment runs` },
  ];
}

/** What holds where `findCgroups` finds none. */
export const WITHOUT_CGROUPS: readonly Enforcement[] = ["memory", "cpu", "processes", "freeze"].map(
  (limit) => ({
    limit,
    level: "not enforced",
    how: "this user may make no control groups; run Thaw as root, or by `systemd-run --user --scope -p Delegate=yes thaw …`",
  }),
);
