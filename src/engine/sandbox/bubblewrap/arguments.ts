import { existsSync, readlinkSync } from "node:fs";
import type { ReadOnlyMount } from "../contract.ts";
import { tool, TOOLS_DIR } from "../tools.ts";
import { GUEST_GID, GUEST_UID } from "./etc.ts";

/** "Lambda quotas": file descriptors, and processes and threads, of an execution environment. */
export const MOST_DESCRIPTORS = 1024;
export const MOST_PROCESSES = 1024;

/** What of the host's /usr is no runtime's: installed by hand, or packages that AWS's runtimes do not have. */
export const MASKED = [
  "/usr/local",
  "/usr/src",
  "/usr/games",
  "/usr/include",
  "/usr/lib/python3/dist-packages",
  "/usr/lib/node_modules",
];

/** What /proc tells of the machine rather than of the sandbox; the rest that is dangerous is root's alone. */
export const MASKED_PROC_FOLDERS = ["/proc/acpi", "/proc/scsi", "/proc/asound"];
export const MASKED_PROC_FILES = ["/proc/keys", "/proc/key-users", "/proc/kallsyms", "/proc/modules"];

/** An image in place of the host's own files. */
export interface ImagePaths {
  readonly root: string;
}

/** Paths of the host as the guest's own user reaches them. */
export interface SandboxPaths {
  readonly image: ImagePaths | undefined;
  /** See `GuestTools`; there for images, and where the walls need them. */
  readonly tools: string | undefined;
  readonly etc: string;
  /** For /etc/hosts. */
  readonly hosts: string;
  readonly tmp: string;
  readonly task: string;
  readonly opt: string;
  /** An empty folder and an empty file, which hide others. */
  readonly emptyFolder: string;
  readonly emptyFile: string;
  readonly mounts: readonly ReadOnlyMount[];
}

export interface SandboxShape {
  readonly hostname: string;
  readonly unshareNetwork: boolean;
  /** Whether descriptor 7 is a seccomp filter. */
  readonly filtered: boolean;
  readonly environment: Readonly<Record<string, string>>;
  readonly cwd: string;
  readonly paths: SandboxPaths;
}

/** What bubblewrap is told by `--args`. Descriptors: see `GuestStart`. */
export function bubblewrapArguments(shape: SandboxShape): string[] {
  const { hostname, unshareNetwork, filtered, environment, cwd, paths } = shape;
  const { tmp, emptyFolder, emptyFile, mounts } = paths;
  const parts: readonly (readonly string[])[] = [
    ["--unshare-user", "--unshare-pid", "--unshare-ipc", "--unshare-uts", "--unshare-cgroup-try"],
    unshareNetwork ? ["--unshare-net"] : [],
    ["--uid", String(GUEST_UID), "--gid", String(GUEST_GID), "--hostname", hostname],
    ["--die-with-parent", "--new-session", "--cap-drop", "ALL"],
    paths.image === undefined ? hostFiles(paths) : imageFiles(paths, paths.image),
    ["--proc", "/proc"],
    hidden(MASKED_PROC_FOLDERS, emptyFolder),
    hidden(MASKED_PROC_FILES, emptyFile),
    // /dev/shm cannot be written to, as on AWS.
    ["--dev", "/dev", "--remount-ro", "/dev"],
    ["--bind", tmp, "/tmp"],
    mounts.flatMap(({ source, target }) => ["--ro-bind", source, target]),
    ["--remount-ro", "/", "--chdir", cwd, "--clearenv"],
    Object.entries(environment).flatMap(([name, value]) => ["--setenv", name, value]),
    ["--info-fd", "5", "--block-fd", "6"],
    filtered ? ["--seccomp", "7"] : [],
  ];
  return parts.flat();
}

function hidden(folders: readonly string[], by: string): string[] {
  return folders.flatMap((path) => (existsSync(path) ? ["--ro-bind", by, path] : []));
}

/** What functions of zip archives see: the host's programs and libraries, their code and their layers. */
function hostFiles({ etc, hosts, task, opt, emptyFolder }: SandboxPaths): readonly string[] {
  const links = ROOT_ENTRIES.flatMap(({ path, link }) =>
    link === undefined ? ["--ro-bind", path, path] : ["--symlink", link, path],
  );
  return [
    ["--ro-bind", "/usr", "/usr"],
    hidden(MASKED, emptyFolder),
    links,
    ["--ro-bind", etc, "/etc", "--ro-bind", hosts, "/etc/hosts"],
    ["--perms", "0755", "--dir", "/var"],
    ["--ro-bind", task, "/var/task", "--ro-bind", opt, "/opt"],
  ].flat();
}

/** What functions of images see: the image, and what tells of the network. */
function imageFiles({ etc, hosts, tools = "" }: SandboxPaths, { root }: ImagePaths): readonly string[] {
  return [
    ["--ro-bind", root, "/", "--ro-bind", tools, TOOLS_DIR],
    ["--ro-bind", hosts, "/etc/hosts", "--ro-bind", `${etc}/resolv.conf`, "/etc/resolv.conf"],
  ].flat();
}

/** /bin and its like as the host has them: links into /usr, or folders. */
export const ROOT_ENTRIES = ["/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32"]
  .filter((path) => existsSync(path))
  .map((path) => ({ path, link: linkIn(path) }));

function linkIn(path: string): string | undefined {
  try {
    return readlinkSync(path);
  } catch {
    return undefined;
  }
}

/** Limits that only the process itself can be given once it is the guest's user; see getrlimit(2). */
export function limited(command: string, args: readonly string[], ofImage = false): string[] {
  return [
    ...(ofImage ? tool("prlimit") : ["/usr/bin/prlimit"]),
    `--nofile=${MOST_DESCRIPTORS}:${MOST_DESCRIPTORS}`,
    `--nproc=${MOST_PROCESSES}:${MOST_PROCESSES}`,
    "--core=0:0",
    "--",
    command,
    ...args,
  ];
}
