import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { promisify } from "node:util";

const execute = promisify(execFile);

export type BubblewrapUse =
  | { readonly usable: true; readonly path: string }
  | { readonly usable: false; readonly why: string; readonly remedy: string };

/** The programs of util-linux that stand beside it; every distribution has them in its base. */
const NEEDED = ["prlimit", "unshare", "nsenter", "mount", "setpriv"];
const FOLDERS = ["/usr/bin", "/bin", "/usr/sbin", "/sbin", "/usr/local/bin"];

/** Whether this host lets this user make sandboxes: found out by making one. */
export async function bubblewrapUsable(): Promise<BubblewrapUse> {
  if (process.platform !== "linux")
    return {
      usable: false,
      why: "bubblewrap needs Linux",
      remedy: "run Thaw on Linux, or in a Linux virtual machine",
    };
  const path = find("bwrap");
  if (path === undefined)
    return { usable: false, why: "bubblewrap is not installed", remedy: "install the package bubblewrap" };
  const missing = NEEDED.filter((name) => find(name) === undefined);
  if (missing.length > 0)
    return {
      usable: false,
      why: `${missing.join(", ")} not found`,
      remedy: "install the package util-linux",
    };
  const fixed = ["--unshare-user", "--unshare-pid", "--unshare-ipc", "--unshare-uts", "--die-with-parent"];
  const view = ["--ro-bind", "/", "/", "--proc", "/proc", "--dev", "/dev"];
  const newUser = process.getuid?.() === 0 ? [] : ["--user", "--map-root-user"];
  const inside = [path, ...fixed, ...view, "prlimit", "--core=0:0", "true"];
  try {
    // The whole way of an ordinary user's guest; root's is shorter.
    await execute("unshare", [...newUser, "--mount", "--propagation", "private", ...inside], {
      timeout: 10_000,
      env: { PATH: FOLDERS.join(":") },
    });
    return { usable: true, path };
  } catch (error) {
    const { stderr } = error as { stderr?: string };
    return {
      usable: false,
      why: `this host refuses namespaces: ${(stderr ?? String(error)).trim().split("\n")[0] ?? ""}`,
      remedy:
        "allow unprivileged user namespaces (sysctl kernel.unprivileged_userns_clone=1, kernel.apparmor_restrict_unprivileged_userns=0), " +
        "or, in a container, run it with a seccomp profile that allows them and an unmasked /proc",
    };
  }
}

function find(name: string): string | undefined {
  return FOLDERS.map((folder) => `${folder}/${name}`).find((path) => existsSync(path));
}
