import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { join } from "node:path";
import { ensureBuilt } from "./built.ts";

export interface TestPlatform {
  readonly url: string;
  readonly pid: number;
  /** With a channel where `StartOptions.channel` was set. */
  readonly process: ChildProcess;
  /** Everything that the platform printed to its standard error. */
  readonly errors: () => string;
  /** Everything that the platform printed to its standard output. */
  readonly output: () => string;
  /** Sends a signal and waits for nothing. */
  kill(signal: NodeJS.Signals): void;
  /** Ends it as Ctrl-C does and resolves with its exit code. */
  stop(signal?: NodeJS.Signals): Promise<number | null>;
}

/** Client settings for a platform under test. */
export function clientFor(url: string) {
  return {
    endpoint: url,
    region: "us-east-1",
    credentials: { accessKeyId: "test", secretAccessKey: "test" },
    maxAttempts: 1,
  };
}

export interface StartOptions {
  /** A user of the host, by number, whom the platform runs as; only root can ask for another. */
  readonly user?: number;
  /** Of Node.js, such as `--expose-gc`. */
  readonly nodeFlags?: readonly string[];
  /** Opens a channel to a module that `nodeFlags` imports. */
  readonly channel?: boolean;
  /** A command that runs the platform's in its own place, such as `unshare -m`. */
  readonly within?: readonly string[];
}

/**
 * Boots the built platform in a process of its own, on a free port, with a temporary data folder unless `--data` is
 * given. Rejects where it ends before it is ready.
 */
export async function startPlatform(
  flags: readonly string[] = [],
  environment: Readonly<Record<string, string>> = {},
  { user, nodeFlags = [], channel = false, within = [] }: StartOptions = {},
): Promise<TestPlatform> {
  const dist = await ensureBuilt();
  const storage = flags.includes("--data") ? [] : ["--ephemeral"];
  const main = [...nodeFlags, join(dist, "main.js"), "up", "--port", "0", "--log-level", "warn"];
  const [command = process.execPath, ...words] = [...within, process.execPath, ...main, ...storage, ...flags];
  const child = spawn(command, words, {
    stdio: ["ignore", "pipe", "pipe", channel ? "ipc" : "ignore"],
    env: { ...process.env, THAW_GRACE: "10", ...environment },
    ...(user === undefined ? {} : { uid: user, gid: user }),
  });
  let errors = "";
  child.stderr?.setEncoding("utf8").on("data", (text: string) => (errors += text));
  let output = "";
  child.stdout?.setEncoding("utf8").on("data", (text: string) => (output += text));
  const url = await readyUrl(child, () => errors);
  return {
    url,
    pid: child.pid ?? 0,
    process: child,
    errors: () => errors,
    output: () => output,
    kill: (signal) => void child.kill(signal),
    async stop(signal = "SIGINT") {
      if (child.exitCode !== null || child.signalCode !== null) return child.exitCode;
      const ended = once(child, "exit");
      child.kill(signal);
      await ended;
      return child.exitCode;
    },
  };
}

function readyUrl(child: ChildProcess, errors: () => string): Promise<string> {
  return new Promise((resolve, reject) => {
    child.once("exit", (code) => reject(new Error(`the platform ended with ${code}: ${errors()}`)));
    if (child.stdout === null) return;
    createInterface({ input: child.stdout }).on("line", (line) => {
      const url = /ready at (https?:\/\/\S+)/.exec(line)?.[1];
      if (url !== undefined) resolve(url);
    });
  });
}
