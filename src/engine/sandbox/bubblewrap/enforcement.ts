import type { Enforcement } from "../contract.ts";
import { MOST_DESCRIPTORS, MOST_PROCESSES } from "./arguments.ts";

export interface EnforcementFacts {
  /** What makes the walls, as `doctor` names it. */
  readonly walls: string;
  /** Whether each environment has a host user of its own. */
  readonly users: boolean;
  /** Whether there is a seccomp filter for this architecture. */
  readonly filtered: boolean;
  /** What control groups, scratch disks and the network say. */
  readonly others: readonly Enforcement[];
}

const ALWAYS: readonly Enforcement[] = [
  { limit: "timeout", level: "enforced", how: "the platform's timer; the whole environment is killed" },
  { limit: "payload and response size", level: "enforced", how: "counted by the platform" },
  { limit: "concurrency", level: "enforced", how: "counted by the platform" },
  {
    limit: "file system",
    level: "enforced",
    how: "the runtime's own files or the image, /var/task and /opt are all that is seen, read-only; /tmp alone can be written",
  },
  {
    limit: "other processes",
    level: "enforced",
    how: "namespaces of its own for users, processes, IPC and host name; no capability, no new privileges",
  },
  { limit: "file descriptors", level: "enforced", how: `RLIMIT_NOFILE of ${MOST_DESCRIPTORS}` },
];

/** Without control groups. */
const NO_CGROUPS: readonly Enforcement[] = [
  {
    limit: "memory",
    level: "not enforced",
    how: "this user has no control group; Node.js gets a heap limit",
    remedy:
      "delegate cgroup v2 controllers, such as by running Thaw under systemd-run --user --scope -p Delegate=yes",
  },
  { limit: "cpu", level: "not enforced", how: "needs a control group" },
  { limit: "freeze", level: "enforced", how: "SIGSTOP to all processes of an idle environment" },
  {
    limit: "processes",
    level: "enforced",
    how: `RLIMIT_NPROC of ${MOST_PROCESSES} within the user namespace`,
  },
];

export function enforcement({ walls, users, filtered, others }: EnforcementFacts): readonly Enforcement[] {
  const named = (limit: string): boolean => others.some((each) => each.limit === limit);
  return [
    ...ALWAYS.map((each) =>
      each.limit === "file system" ? { ...each, how: `${walls}: ${each.how}` } : each,
    ),
    filtered
      ? {
          limit: "system calls",
          level: "enforced",
          how: "a seccomp filter refuses what containers are refused",
        }
      : {
          limit: "system calls",
          level: "not enforced",
          how: "there is no seccomp filter for this processor yet",
        },
    users
      ? { limit: "users", level: "enforced", how: "each environment has a host user of its own" }
      : {
          limit: "users",
          level: "watched",
          how: "environments run as the platform's user, apart by namespaces alone",
          remedy: "run Thaw as root: it gives each environment a user of its own",
        },
    ...others,
    ...NO_CGROUPS.filter(({ limit }) => !named(limit)),
  ];
}
