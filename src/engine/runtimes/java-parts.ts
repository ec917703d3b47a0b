import { join } from "node:path";
import type { ReadOnlyMount, SandboxBackend } from "../sandbox/contract.ts";
import { GUEST_DIR } from "./guest-paths.ts";
import { buildJavaGuest, foreignMounts } from "./java-guest.ts";
import type { SandboxedRun } from "./java-guest.ts";
import { languageView } from "./language-view.ts";

export interface JavaPartsOptions {
  readonly layout: SandboxBackend["layout"];
  readonly interpreter: { readonly path: string; readonly version: string };
  /** Where parts are built. */
  readonly folder: string;
  readonly guestFolder: string;
}

/** What Java needs beside the JDK: the guest, compiled by it. */
export async function javaParts(
  options: JavaPartsOptions,
): Promise<{ readonly guest: string; readonly mounts: readonly ReadOnlyMount[] }> {
  const { layout, interpreter, folder, guestFolder } = options;
  const mounts = layout === "host" ? [] : await foreignMounts(interpreter.path);
  const guest = await buildJavaGuest({
    java: interpreter.path,
    version: interpreter.version,
    source: join(guestFolder, "java"),
    folder: join(folder, "java-guest"),
    inside: layout === "host" ? undefined : bubblewrapped(interpreter.path, mounts),
  });
  return { guest, mounts };
}

/** Runs the JVM once as guests of the `aws` layout see it; where there is no bubblewrap, it makes no archive. */
function bubblewrapped(path: string, foreign: readonly ReadOnlyMount[]): SandboxedRun {
  const target = join(GUEST_DIR, "java");
  const { command: java, mounts } = languageView("java", path);
  const system = ["/usr", "/bin", "/lib", "/lib64", "/etc/ld.so.cache"];
  return {
    target,
    java,
    wrap: (folder, command) => [
      "bwrap",
      "--die-with-parent",
      "--unshare-net",
      ...system.flatMap((each) => ["--ro-bind-try", each, each]),
      "--proc",
      "/proc",
      "--dev",
      "/dev",
      "--tmpfs",
      "/tmp",
      ...[...mounts, ...foreign].flatMap(({ source, target: seen }) => ["--ro-bind", source, seen]),
      "--bind",
      folder,
      target,
      "--chdir",
      "/",
      ...command,
    ],
  };
}
