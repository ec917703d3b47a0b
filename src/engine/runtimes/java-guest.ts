import { execFile, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import {
  access,
  chmod,
  lstat,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  realpath,
  rename,
  rm,
  writeFile,
} from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { promisify } from "node:util";
import { OperatorError } from "#core/errors";
import { encodeFrame, encodeHeadedFrame, FRAME } from "../environment/frames.ts";
import type { ReadOnlyMount } from "../sandbox/contract.ts";
import { JAVA_FLAGS, JAVA_JAR } from "./java-files.ts";

const run = promisify(execFile);

/** What every JVM of a guest starts with. SerialGC and the C1 compiler alone are AWS's choice too, and start fastest. */
const FLAGS = [
  "+UseSerialGC",
  "TieredStopAtLevel=1",
  // Else every JVM leaves a file in /tmp, which is the function's.
  "-UsePerfData",
];

const NO_PERF_DATA = "-J-XX:-UsePerfData";

/** The opens let the guest take its channel by descriptor, and replace the environment variables of a JVM that runs. */
const MANIFEST = `Main-Class: thaw.runtime.Main
Add-Opens: java.base/java.io java.base/java.util
`;

/** The first JDK whose `-XX:ArchiveClassesAtExit` makes an archive without a list of classes (JEP 350). */
const FIRST_WITH_ARCHIVES = 13;

/** What the training function is sent: members of the kinds that most events have. */
const TRAINING_EVENT =
  '{"name":"order","when":1,"count":2,"unknown":{"a":[1.5,null,true]},"parts":[{"name":"part"}]}';

export interface JavaGuestOptions {
  /** The `java` of a JDK, its path free of links. */
  readonly java: string;
  /** The JDK's version, such as `17.0.15`. */
  readonly version: string;
  /** The guest's folder in the source tree: it holds `src`. */
  readonly source: string;
  /** Where builds are kept, one folder each. */
  readonly folder: string;
  /**
   * How the guest's files are seen while it runs, where that is not where they are: the command that runs `command`
   * with `folder` mounted at `target`. The JVM takes an archive only with the paths that it was made with.
   */
  readonly inside?: SandboxedRun | undefined;
}

export interface SandboxedRun {
  /** Where the guest sees the folder. */
  readonly target: string;
  /** The java that it runs, as it sees it. */
  readonly java: string;
  readonly wrap: (folder: string, command: readonly string[]) => readonly string[];
}

/**
 * Compiles the guest with the JDK's own compiler and archives its classes, unless that was done before: 3 s once a JDK.
 * @returns the folder that holds it
 * @throws OperatorError with the compiler's words
 */
export async function buildJavaGuest(options: JavaGuestOptions): Promise<string> {
  const sources = await sourceFiles(join(options.source, "src"));
  const target = join(options.folder, await buildId(options, sources));
  if (await exists(join(target, JAVA_FLAGS))) return target;
  await mkdir(options.folder, { recursive: true });
  const building = await mkdtemp(`${target}.`);
  try {
    // Made for its owner alone; guests have users of their own.
    await chmod(building, 0o755);
    await compile(options, sources, building);
    // Where another process was faster, its build is the same.
    await rename(building, target).catch(async (error: unknown) => {
      if (!(await exists(join(target, JAVA_JAR)))) throw error;
    });
    // In its last place, since the archive names it, and under a name of its own, since two processes may be at it. The
    // flags come last: they make the build complete.
    const archive = await archiveClasses(options, target, `${basename(building)}.jsa`);
    const flags = archive === undefined ? FLAGS : [...FLAGS, `SharedArchiveFile=${archive}`];
    const unfinished = join(target, `${basename(building)}.flags`);
    await writeFile(unfinished, `${flags.join("\n")}\n`);
    await rename(unfinished, join(target, JAVA_FLAGS));
    return target;
  } finally {
    await rm(building, { recursive: true, force: true });
  }
}

/** What in a JDK's home leads out of it and of `/usr`: Debian keeps configuration and certificates in `/etc`. */
export async function foreignMounts(java: string): Promise<readonly ReadOnlyMount[]> {
  const home = dirname(dirname(java));
  const folders = new Set<string>();
  const visit = async (folder: string, depth: number): Promise<void> => {
    const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
    for (const entry of entries) {
      const path = join(folder, entry.name);
      if (entry.isDirectory() && depth > 0) await visit(path, depth - 1);
      if (!entry.isSymbolicLink()) continue;
      const real = await realpath(path).catch(() => home);
      if (!real.startsWith(`${home}/`) && !real.startsWith("/usr/")) folders.add(dirname(real));
    }
  };
  await Promise.all(["conf", "lib"].map((name) => visit(join(home, name), 2)));
  const outermost = [...folders].filter(
    (each) => ![...folders].some((other) => each.startsWith(`${other}/`)),
  );
  return outermost.sort().map((folder) => ({ source: folder, target: folder }));
}

async function sourceFiles(folder: string): Promise<string[]> {
  const names = await readdir(folder, { recursive: true });
  return names
    .filter((name) => name.endsWith(".java"))
    .sort()
    .map((name) => join(folder, name));
}

async function buildId(options: JavaGuestOptions, sources: readonly string[]): Promise<string> {
  const hash = createHash("sha256").update(
    JSON.stringify([options.java, options.version, options.inside?.target]),
  );
  hash.update(JSON.stringify([FLAGS, MANIFEST, TRAINING_EVENT]));
  // An update in place leaves path and version: the archive would not fit the new JVM.
  hash.update(String((await lstat(options.java)).mtimeMs));
  for (const source of sources) hash.update(await readFile(source));
  return hash.digest("hex").slice(0, 32);
}

async function compile(
  { java, version }: JavaGuestOptions,
  sources: readonly string[],
  folder: string,
): Promise<void> {
  const tools = dirname(java);
  const classes = join(folder, "classes");
  const manifest = join(folder, "manifest");
  await mkdir(classes);
  await writeFile(manifest, MANIFEST);
  try {
    // Concatenation by invokedynamic, the default since Java 9, costs the first start 20 ms.
    const inline = version.startsWith("8.") ? [] : ["-XDstringConcat=inline"];
    await run(join(tools, "javac"), [
      NO_PERF_DATA,
      "-nowarn",
      "-encoding",
      "UTF-8",
      ...inline,
      "-d",
      classes,
      ...sources,
    ]);
    await run(join(tools, "jar"), [
      NO_PERF_DATA,
      "cfm",
      join(folder, JAVA_JAR),
      manifest,
      "-C",
      classes,
      ".",
    ]);
  } catch (error) {
    const { stderr, message } = error as Error & { stderr?: string };
    throw new OperatorError(`the Java runtime cannot be compiled with ${java}: ${stderr ?? message}`);
  }
  await rm(classes, { recursive: true });
}

/** Runs the training function once. @returns the archive as the guest sees it, or undefined where none could be made */
async function archiveClasses(
  { java, version, inside }: JavaGuestOptions,
  folder: string,
  name: string,
): Promise<string | undefined> {
  if (Number(version.split(".")[0]) < FIRST_WITH_ARCHIVES) return undefined;
  const seen = inside?.target ?? folder;
  const archive = join(seen, name);
  const command = [
    inside?.java ?? java,
    ...FLAGS.map((flag) => `-XX:${flag}`),
    `-XX:ArchiveClassesAtExit=${archive}`,
    "-Xlog:disable",
    "-jar",
    join(seen, JAVA_JAR),
  ];
  const [file = java, ...args] = inside === undefined ? command : inside.wrap(folder, command);
  await new Promise<void>((resolve) => {
    const child = spawn(file, args, {
      stdio: ["ignore", "ignore", "ignore", "pipe", "pipe"],
      env: { LANG: "en_US.UTF-8" },
      timeout: 60_000,
    });
    const [, , , input, output] = child.stdio;
    output?.on("data", () => {});
    if (input !== null && input !== undefined && "end" in input) {
      input.on("error", () => {});
      input.end(trainingFrames());
    }
    child.once("error", () => resolve());
    child.once("close", () => resolve());
  });
  // The JVM refuses to start from an archive that is not there, so that it is named only if it is.
  return (await exists(join(folder, name))) ? archive : undefined;
}

function trainingFrames(): Buffer {
  const init = { handler: "thaw.runtime.Training::handle", taskRoot: "/", environment: {}, memoryMb: 512 };
  const header = { requestId: "training", deadlineMs: 0 };
  return Buffer.concat([
    encodeFrame(FRAME.init, JSON.stringify(init)),
    encodeHeadedFrame(FRAME.invoke, JSON.stringify(header), Buffer.from(TRAINING_EVENT)),
    encodeFrame(FRAME.shutdown),
  ]);
}

function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
