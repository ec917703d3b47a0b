import { constants, existsSync } from "node:fs";
import { mkdir, open, readdir, rm, rmdir, stat, symlink, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { ROOT_ENTRIES } from "../bubblewrap/arguments.ts";
import type { SandboxShape } from "../bubblewrap/arguments.ts";
import type { ReadOnlyMount } from "../contract.ts";
import type { GuestHost } from "../bubblewrap/guest-host.ts";
import type { WallCommand, WallPlan, Walls } from "../bubblewrap/walls.ts";
import { mountsOf, ociConfig } from "./config.ts";
import type { OciRuntime } from "./runtime.ts";

/**
 * Runs beside the runtime and stands between it and the spawner (`--info-fd` and `--block-fd` of bubblewrap): the number
 * of the container's first process goes to descriptor 5, and what comes from 6 lets it go on. Neither reaches the guest.
 */
const RUN = `{
  read -r pid <"$1/info" && echo "{\\"child-pid\\": $pid}" >&5
  read -r go <&6
  exec 9<>"$1/go"
  echo go >&9
} <&- >&- 2>&- 3<&- 4>&- 8<&- &
exec 5>&- 6<&- 7<&- 8<&-
shift
exec "$@"`;

/**
 * The runtime calls it once namespaces are there, before anything of the guest's runs, with the container's state as JSON.
 * Pipes are opened both ways, so that neither side waits for another that died.
 */
const HOOK = `exec 8<>"$1/info" 9<>"$1/go"
while read -r line || [ -n "$line" ]; do
  case "$line" in *'"pid":'*) pid=\${line##*'"pid":'}; pid=\${pid# }; pid=\${pid%%[!0-9]*} ;; esac
done
echo "$pid" >&8
read -r go <&9`;

/** An OCI runtime in place of bubblewrap. @param folder its own, on disk */
export class OciWalls implements Walls {
  readonly name = "oci";
  readonly users = 2;
  readonly needsTools = true;
  /** OCI runtimes close what they were not told to pass on. */
  readonly recalls = false;
  readonly runtime: OciRuntime;
  readonly #folder: string;
  readonly #released = new Set<string>();
  /** Spawners whose view of the host suits the runtime. */
  readonly #ready = new WeakMap<GuestHost, Promise<unknown>>();
  /** Mount points that the skeleton has. */
  readonly #made = new Map<string, Promise<void>>();

  constructor(runtime: OciRuntime, folder: string) {
    this.runtime = runtime;
    this.#folder = folder;
  }

  /** Removes what an earlier platform left. */
  async open(): Promise<void> {
    await rm(this.#folder, { recursive: true, force: true });
    await mkdir(this.#skeleton, { recursive: true, mode: 0o755 });
    await Promise.all([mkdir(join(this.#folder, "bundles")), mkdir(this.#state)]);
    for (const { path, link } of ROOT_ENTRIES)
      await (link === undefined
        ? mkdir(join(this.#skeleton, path))
        : symlink(link, join(this.#skeleton, path)));
  }

  get #skeleton(): string {
    return join(this.#folder, "root");
  }

  get #state(): string {
    return join(this.#folder, "state");
  }

  #bundle(id: string): string {
    return join(this.#folder, "bundles", id);
  }

  async raise({ id, host, enter, users, shape, mounts, command, args }: WallPlan): Promise<WallCommand> {
    const bundle = this.#bundle(id);
    const { path, options } = this.runtime;
    await mkdir(bundle, { mode: 0o700 });
    const skeleton = await host.spawner.stage(this.#skeleton);
    const hook = ["/bin/sh", "-c", HOOK, "hook", bundle];
    const config = ociConfig({ shape, skeleton, users, hook, command, args });
    await Promise.all([
      // It has the function's environment variables, and is nobody else's to read.
      writeFile(join(bundle, "config.json"), JSON.stringify(config), { mode: 0o600 }),
      this.#prepare(host),
      host.spawner.run(["mkfifo", "-m", "600", join(bundle, "info"), join(bundle, "go")]),
      shape.paths.image === undefined ? this.#mountPoints(shape, mounts) : undefined,
    ]);
    const run = ["--root", this.#state, ...options, "run", "--preserve-fds", "2", "--bundle", bundle, id];
    return {
      argv: [...enter, "/bin/sh", "-c", RUN, "run", bundle, path, ...run],
      inherit: undefined,
      // Nothing reads it: what is secret stands in the bundle.
      secret: [""],
    };
  }

  /** crun refuses to run where both versions of control groups are mounted, though it is to use neither: hides one from it. */
  #prepare(host: GuestHost): Promise<unknown> {
    let ready = this.#ready.get(host);
    if (ready === undefined) {
      ready = existsSync(HYBRID)
        ? host.spawner.run(["mount", "-t", "tmpfs", "-o", "ro", "none", dirname(HYBRID)])
        : Promise.resolve();
      this.#ready.set(host, ready);
    }
    return ready;
  }

  /** The skeleton is no guest's to write: it has to have what is mounted over. Mounts within mounts have theirs already. */
  async #mountPoints(shape: SandboxShape, mounts: readonly ReadOnlyMount[]): Promise<void> {
    const sources = new Map(mounts.map(({ source, target }) => [target, source]));
    await Promise.all(
      mountsOf(shape).map(async ({ destination }) => {
        if (WITHIN_MOUNTS.test(destination)) return;
        let made = this.#made.get(destination);
        if (made === undefined) {
          made = mountPoint(join(this.#skeleton, destination), sources.get(destination));
          this.#made.set(destination, made);
        }
        await made;
      }),
    );
  }

  release(id: string): void {
    if (this.#released.has(id)) return;
    this.#released.add(id);
    // The hook waits for it, and the runtime for the hook.
    void poke(join(this.#bundle(id), "go"), "go\n");
  }

  async fallen(id: string, { spawner }: GuestHost): Promise<void> {
    const bundle = this.#bundle(id);
    // Where the runtime never came to call its hook, somebody still waits to read.
    await poke(join(bundle, "info"), "");
    if (existsSync(join(this.#state, id)) && !spawner.dead) {
      const { path, options } = this.runtime;
      await spawner
        .run([path, "--root", this.#state, ...options, "delete", "--force", id])
        .catch(() => rm(join(this.#state, id), { recursive: true, force: true }));
    }
    if (this.runtime.name === "runc") await removeGroups(id);
    this.#released.delete(id);
    await rm(bundle, { recursive: true, force: true });
  }

  neverRan(status: number | undefined, said: string): boolean {
    return status !== undefined && status !== 0 && RUNTIME_ERROR.test(said);
  }
}

/** As crun and runc begin what they say of themselves. */
const RUNTIME_ERROR =
  /^(?:\d{4}-\d\d-\d\dT[\d:.]+Z: |time="[^"]*" level=error msg="runc run failed|(?:crun|runc): )/m;

/** Of version 2 beside version 1, as systemd mounts it. */
const HYBRID = "/sys/fs/cgroup/unified/cgroup.procs";

const WITHIN_MOUNTS = /^\/(?:usr|etc|proc|dev|tmp)\/./;

/** @param source what will be mounted there; a folder of the platform's own where there is none */
async function mountPoint(path: string, source: string | undefined): Promise<void> {
  if (source === undefined || (await stat(source)).isDirectory())
    return void (await mkdir(path, { recursive: true, mode: 0o755 }));
  await mkdir(dirname(path), { recursive: true, mode: 0o755 });
  await writeFile(path, "", { flag: "a" });
}

const CGROUPS = "/sys/fs/cgroup";

/** runc makes empty control groups of its own, whatever it is told, and leaves them where it is killed as it starts. */
async function removeGroups(id: string): Promise<void> {
  const hierarchies = await readdir(CGROUPS).catch((): string[] => []);
  await Promise.all(
    ["", ...hierarchies].map((name) => rmdir(join(CGROUPS, name, id)).catch(() => undefined)),
  );
}

/** Writes to a named pipe where somebody reads it. */
async function poke(path: string, text: string): Promise<void> {
  try {
    const pipe = await open(path, constants.O_WRONLY | constants.O_NONBLOCK);
    try {
      if (text !== "") await pipe.write(text);
    } finally {
      await pipe.close();
    }
  } catch {
    // ENXIO: nobody does. ENOENT: there is no such guest any more.
  }
}
