import { existsSync } from "node:fs";
import {
  MASKED,
  MASKED_PROC_FILES,
  MASKED_PROC_FOLDERS,
  MOST_DESCRIPTORS,
  MOST_PROCESSES,
  ROOT_ENTRIES,
} from "../bubblewrap/arguments.ts";
import type { SandboxShape } from "../bubblewrap/arguments.ts";
import { GUEST_GID, GUEST_UID } from "../bubblewrap/etc.ts";
import { seccompRules } from "../bubblewrap/seccomp.ts";
import { tool, TOOLS_DIR } from "../tools.ts";

export interface ConfigOptions {
  readonly shape: SandboxShape;
  /** An empty tree that has every mount point, for guests that see the host's programs. */
  readonly skeleton: string;
  /** Host users: the guest's own, and one for the root of its user namespace, which nothing runs as. */
  readonly users: readonly number[];
  /** Called by the runtime before the guest runs. */
  readonly hook: readonly string[];
  readonly command: string;
  readonly args: readonly string[];
}

interface Mount {
  readonly destination: string;
  readonly type?: string;
  readonly source: string;
  readonly options?: readonly string[];
}

/**
 * The guest's first process is a shell that waits for it: a process with number 1 takes no signal that it has no handler
 * for, its own included. The shell ends with the runtime, as the kernel sees to, and everything with the shell.
 */
const INIT = '"$@" & wait $!';
/** The same where the function has no HOME: runtimes add one. */
const HOMELESS_INIT = `unset HOME; ${INIT}`;

/** The mounts over which nothing but a link of the root's own can lie: see `mountPoints`. */
export function mountsOf({ paths }: SandboxShape): readonly Mount[] {
  const { etc, hosts, tmp, task, opt, tools, emptyFolder, image, mounts } = paths;
  const own: readonly Mount[] =
    image === undefined
      ? [
          readOnly("/usr", "/usr"),
          ...MASKED.filter((path) => existsSync(path)).map((path) => readOnly(emptyFolder, path)),
          ...ROOT_ENTRIES.filter(({ link }) => link === undefined).map(({ path }) => readOnly(path, path)),
          readOnly(etc, "/etc"),
          readOnly(hosts, "/etc/hosts"),
          readOnly(task, "/var/task"),
          readOnly(opt, "/opt"),
        ]
      : [readOnly(hosts, "/etc/hosts"), readOnly(`${etc}/resolv.conf`, "/etc/resolv.conf")];
  return [
    ...own,
    { destination: "/proc", type: "proc", source: "proc", options: ["nosuid", "noexec", "nodev"] },
    {
      destination: "/dev",
      type: "tmpfs",
      source: "tmpfs",
      options: ["nosuid", "noexec", "mode=755", "size=64k"],
    },
    { destination: "/tmp", type: "bind", source: tmp, options: ["rbind", "rslave", "nosuid", "nodev"] },
    readOnly(tools ?? "", TOOLS_DIR),
    ...mounts.map(({ source, target }) => readOnly(source, target)),
  ];
}

/** `rslave`: what the platform mounts there later, a function's code, is seen; nothing goes the other way. */
function readOnly(source: string, destination: string): Mount {
  return { destination, type: "bind", source, options: ["rbind", "rslave", "ro", "nosuid", "nodev"] };
}

/** The container's config.json ("OCI Runtime Specification"). */
export function ociConfig(options: ConfigOptions): object {
  const { shape, skeleton, users, hook, command, args } = options;
  const { environment, hostname, unshareNetwork, filtered, paths } = shape;
  const [guest, root] = users;
  const namespaces = ["user", "pid", "ipc", "uts", "mount", ...(unshareNetwork ? ["network"] : [])];
  const none: readonly string[] = [];
  const ids = (own: number) =>
    guest === undefined || root === undefined
      ? // The platform's user is the only one that an ordinary user may map, and runtimes want a root.
        [{ containerID: 0, hostID: 0, size: 1 }]
      : [
          { containerID: 0, hostID: root, size: 1 },
          { containerID: own, hostID: guest, size: 1 },
        ];
  const mapped = guest !== undefined;
  const init = "HOME" in environment ? INIT : HOMELESS_INIT;
  return {
    ociVersion: "1.0.2",
    root: { path: paths.image?.root ?? skeleton, readonly: true },
    hostname,
    process: {
      terminal: false,
      user: mapped ? { uid: GUEST_UID, gid: GUEST_GID } : { uid: 0, gid: 0 },
      args: [...tool("setpriv"), "--pdeathsig", "KILL", ...tool("sh"), "-c", init, "init", command, ...args],
      env: Object.entries(environment).map(([name, value]) => `${name}=${value}`),
      cwd: shape.cwd,
      capabilities: { bounding: none, effective: none, inheritable: none, permitted: none, ambient: none },
      noNewPrivileges: true,
      rlimits: [
        limit("RLIMIT_NOFILE", MOST_DESCRIPTORS),
        limit("RLIMIT_NPROC", MOST_PROCESSES),
        limit("RLIMIT_CORE", 0),
      ],
    },
    mounts: mountsOf(shape),
    hooks: { createRuntime: [{ path: hook[0], args: hook }] },
    linux: {
      namespaces: namespaces.map((type) => ({ type })),
      uidMappings: ids(GUEST_UID),
      gidMappings: ids(GUEST_GID),
      rootfsPropagation: "rslave",
      maskedPaths: [...MASKED_PROC_FOLDERS, ...MASKED_PROC_FILES],
      readonlyPaths: ["/dev", "/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"],
      ...(filtered ? { seccomp: seccompRules(process.arch) } : {}),
    },
  };
}

function limit(type: string, most: number): object {
  return { type, soft: most, hard: most };
}
