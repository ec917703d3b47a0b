import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { ARCHITECTURES } from "../code/images/manifest.ts";
import { RootFs } from "../code/images/rootfs.ts";
import type { PreparedImage } from "../code/images/store.ts";
import type { FunctionSpec } from "../contract.ts";
import type { LaunchPlan } from "../runtime-api/launch.ts";
import { tool } from "../sandbox/tools.ts";
import { RUNTIME_DIR } from "./guest-paths.ts";
import type { RuntimeLanguage } from "./language.ts";
import { launcherView } from "./provided.ts";
import type { OsRuntime } from "./provided.ts";

/** What an image's function runs, in its own view. */
export interface ImageRun {
  readonly argv: readonly string[];
  readonly cwd: string;
  /** The image's own environment variables. */
  readonly variables: Readonly<Record<string, string>>;
  /** File names of the external extensions in /opt/extensions. */
  readonly extensions: readonly string[];
  readonly fault: LaunchPlan["fault"];
}

/** Container engines' own, for an image that sets none. */
const DEFAULT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

const launcher: RuntimeLanguage = {
  command: ({ guest }) => {
    const [command = "", ...args] = tool("sh");
    return { command, args: [...args, join(guest, "launch.sh")] };
  },
  environment: () => ({}),
  actsAtStart: () => false,
};

/** Environments of images start as those of OS-only runtimes do, by the platform's own launcher. */
export function imagePlan(guestFolder: string) {
  const { path, mounts } = launcherView("aws", guestFolder);
  return {
    runtime: { name: "", family: "provided", version: "image" } satisfies OsRuntime,
    language: launcher,
    view: { command: "", guest: path, runtimePath: RUNTIME_DIR, mounts },
    runtimeVersion: "image",
    runtimeVersionArn: "",
    imageVariables: {},
  };
}

/** The image's settings and the function's over them ("Deploy … with container images: container image settings"). */
export async function imageRun(
  {
    imageConfig,
    architecture,
    environment,
  }: Pick<FunctionSpec, "imageConfig" | "architecture" | "environment">,
  { root, config }: PreparedImage,
): Promise<ImageRun> {
  const files = new RootFs(root);
  const argv = [
    ...(imageConfig?.entryPoint ?? config.entryPoint),
    // As with container engines: another entry point does away with the image's command.
    ...(imageConfig?.command ?? (imageConfig?.entryPoint === undefined ? config.command : [])),
  ];
  const cwd = join("/", imageConfig?.workingDirectory ?? config.workingDirectory);
  const variables = Object.fromEntries(
    [`PATH=${DEFAULT_PATH}`, ...config.environment].flatMap((text) => {
      const at = text.indexOf("=");
      return at < 1 ? [] : [[text.slice(0, at), text.slice(at + 1)]];
    }),
  ) as Record<string, string>;
  const fault =
    config.architecture !== ARCHITECTURES[architecture] || !runsHere(config.architecture)
      ? invalid(`fork/exec ${argv[0] ?? ""}: exec format error`)
      : ((await entryFault(files, argv[0], cwd, environment["PATH"] ?? variables["PATH"] ?? DEFAULT_PATH)) ??
        (await cwdFault(files, cwd)));
  return { argv, cwd, variables, extensions: await extensionsOf(files), fault };
}

function runsHere(architecture: string): boolean {
  return architecture === (process.arch === "x64" ? "amd64" : process.arch);
}

/** In the words of AWS's supervisor, whose open runtime interface emulator says the same. */
function invalid(message: string): NonNullable<LaunchPlan["fault"]> {
  return { errorType: "Runtime.InvalidEntrypoint", message };
}

async function entryFault(
  files: RootFs,
  entry: string | undefined,
  cwd: string,
  path: string,
): Promise<LaunchPlan["fault"]> {
  if (entry === undefined || entry === "")
    return invalid("the image has neither ENTRYPOINT nor CMD, and the function no ImageConfig with one");
  if (entry.includes("/")) {
    const problem = await problemOf(files, entry.startsWith("/") ? entry : join(cwd, entry));
    return problem === undefined ? undefined : invalid(`fork/exec ${entry}: ${problem}`);
  }
  for (const folder of path.split(":"))
    if ((await problemOf(files, join("/", folder, entry))) === undefined) return undefined;
  return invalid(`exec: "${entry}": executable file not found in $PATH`);
}

async function problemOf(
  files: RootFs,
  name: string,
): Promise<"no such file or directory" | "permission denied" | undefined> {
  const path = files.follow(name);
  const found = path === undefined ? undefined : await stat(path).catch(() => undefined);
  if (found === undefined) return "no such file or directory";
  return found.isFile() && (found.mode & 0o111) !== 0 ? undefined : "permission denied";
}

async function cwdFault(files: RootFs, cwd: string): Promise<LaunchPlan["fault"]> {
  const path = files.follow(cwd);
  const found = path === undefined ? undefined : await stat(path).catch(() => undefined);
  if (found?.isDirectory() === true) return undefined;
  const why = found === undefined ? "no such file or directory" : "not a directory";
  return { errorType: "Runtime.InvalidWorkingDir", message: `chdir ${cwd}: ${why}` };
}

async function extensionsOf(files: RootFs): Promise<readonly string[]> {
  const folder = files.follow("opt/extensions");
  if (folder === undefined) return [];
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
  return entries
    .filter((entry) => entry.isFile())
    .map(({ name }) => name)
    .toSorted();
}
