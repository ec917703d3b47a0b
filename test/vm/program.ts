import { writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { rolldown } from "rolldown";

export const repository = resolve(import.meta.dirname, "../..");

/** Tests for the machine to run. */
export interface VmTask {
  /** Test files, relative to the repository's root. */
  readonly files: readonly string[];
  /** A regular expression: only tests whose whole names match. */
  readonly pattern?: string;
  /** Run by this user id, in a control group that is delegated to it, as systemd does; root at the hierarchy's top by default. */
  readonly user?: number;
}

/**
 * Fills a folder with what the machine runs: tests and their runner, bundled for plain Node.js, and scripts for its shell, one
 * for each task, in `task-1` and so on.
 * @param place where the machine has the folder
 */
export async function writeProgram(folder: string, place: string, tasks: readonly VmTask[]): Promise<void> {
  const tests = tasks.flatMap(({ files }) => files);
  const bundle = await rolldown({
    cwd: repository,
    platform: "node",
    input: {
      guest: "test/vm/guest.ts",
      ...Object.fromEntries(tests.map((file) => [file.replace(/\.ts$/u, ""), file])),
    },
  });
  await bundle.write({
    dir: folder,
    format: "esm",
    entryFileNames: "[name].mjs",
    chunkFileNames: "[name].chunk.mjs",
    sourcemap: true,
  });
  await bundle.close();
  const scripts = tasks.map((task) => script(task, place));
  await Promise.all(scripts.map(async (text, index) => writeFile(join(folder, `task-${index + 1}`), text)));
}

function script({ files, pattern = "", user }: VmTask, place: string): string {
  const argv = [process.execPath, "--enable-source-maps", join(place, "guest.mjs"), pattern, ...files]
    .map(quoted)
    .join(" ");
  const lines = [
    "export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/tmp/home CI=1 NO_COLOR=1 THAW_IN_VM=1",
    "mkdir -p $HOME",
    `cd ${quoted(repository)}`,
  ];
  if (user === undefined) return [...lines, `exec ${argv}`].join("\n");
  return [
    ...lines,
    // As systemd delegates (systemd.io/CGROUP_DELEGATION): the folder and three of its files; limits on it stay root's.
    "cd /sys/fs/cgroup",
    'echo "+memory +cpu +pids" >cgroup.subtree_control',
    'mkdir -p user/session && echo "+memory +cpu +pids" >user/cgroup.subtree_control',
    `chown ${user} $HOME user/session user/session/cgroup.procs user/session/cgroup.subtree_control user/session/cgroup.threads`,
    "echo $$ >user/session/cgroup.procs",
    `cd ${quoted(repository)}`,
    `exec setpriv --reuid ${user} --regid ${user} --clear-groups ${argv}`,
  ].join("\n");
}

function quoted(word: string): string {
  return `'${word.replaceAll("'", String.raw`'\''`)}'`;
}
