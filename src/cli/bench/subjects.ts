import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";

/** A server under measurement, in a process of its own. */
export interface Subject {
  readonly url: string;
  readonly pid: number;
  /** From spawn to the line that says ready, in milliseconds. */
  readonly readyMs: number;
  stop(): Promise<void>;
}

const bareServer = `
const { createServer } = require("node:http");
const server = createServer((request, response) => {
  const chunks = [];
  request.on("data", (chunk) => chunks.push(chunk));
  request.on("end", () => response.end(Buffer.concat(chunks)));
});
server.listen(0, "127.0.0.1", () => console.log("ready at http://127.0.0.1:" + server.address().port));
`;

/** The yardstick: node:http that sends back what it got. */
export function startBare(): Promise<Subject> {
  return start(["-e", bareServer]);
}

/** Lambda takes ten times as many requests a second as the account has concurrency: the default would be the bottleneck. */
const CONCURRENCY = "10000";

/** This platform with an empty temporary data folder. */
export function startThaw(home: string): Promise<Subject> {
  const flags = ["up", "--ephemeral", "--port", "0", "--log-level", "error", "--concurrency", CONCURRENCY];
  return start([join(home, "dist", "main.js"), ...flags]);
}

async function start(args: readonly string[]): Promise<Subject> {
  const started = performance.now();
  const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
  const url = await readyLine(child);
  const readyMs = performance.now() - started;
  return {
    url,
    pid: child.pid ?? 0,
    readyMs,
    async stop() {
      if (child.exitCode !== null) return;
      const ended = once(child, "exit");
      child.kill("SIGTERM");
      await ended;
    },
  };
}

function readyLine(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    child.once("exit", (code) => reject(new Error(`the server ended with ${code} before it was ready`)));
    if (child.stdout === null) return;
    createInterface({ input: child.stdout }).on("line", (line) => {
      const url = /ready at (http:\/\/\S+)/.exec(line)?.[1];
      if (url !== undefined) resolve(url);
    });
  });
}

/** Wall time of a process from spawn to exit, in milliseconds. */
export async function timeProcess(file: string, args: readonly string[]): Promise<number> {
  const started = performance.now();
  const child = spawn(file, args, { stdio: "ignore" });
  await once(child, "exit");
  return performance.now() - started;
}

/** Proportional set size of a process in bytes; undefined where the kernel does not tell. */
export async function proportionalSetSize(pid: number): Promise<number | undefined> {
  try {
    const text = await readFile(`/proc/${pid}/smaps_rollup`, "utf8");
    const kilobytes = /^Pss:\s+(\d+) kB/m.exec(text)?.[1];
    return kilobytes === undefined ? undefined : Number(kilobytes) * 1024;
  } catch {
    return undefined;
  }
}

/** Milliseconds of processor time that a process has taken so far; undefined where the kernel does not tell. */
export async function processorMs(pid: number): Promise<number | undefined> {
  try {
    const text = await readFile(`/proc/${pid}/stat`, "latin1");
    // After the name in parentheses, which may hold anything: utime and stime are the fields 14 and 15 (proc(5)).
    const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
    return (Number(fields[11]) + Number(fields[12])) * TICK_MS;
  } catch {
    return undefined;
  }
}

/** Linux counts in hundredths of a second for programs, whatever its own tick is. */
const TICK_MS = 10;

/** A process below another one. */
export interface Descendant {
  readonly pid: number;
  /** Its command line. */
  readonly command: readonly string[];
}

/** All processes below a process, in no order; those that end meanwhile are left out. */
export async function descendantsOf(pid: number): Promise<readonly Descendant[]> {
  const found: Descendant[] = [];
  for (const child of await childrenOf(pid)) {
    const command = await readFile(`/proc/${child}/cmdline`, "utf8").catch(() => undefined);
    if (command !== undefined) found.push({ pid: child, command: command.split("\0") });
    found.push(...(await descendantsOf(child)));
  }
  return found;
}

/** Of all its threads: any of them may have started one. */
async function childrenOf(pid: number): Promise<readonly number[]> {
  const threads = await readdir(`/proc/${pid}/task`).catch(() => []);
  const lists = await Promise.all(
    threads.map((thread) => readFile(`/proc/${pid}/task/${thread}/children`, "utf8").catch(() => "")),
  );
  return lists.flatMap((text) => text.trim().split(" ").filter(Boolean).map(Number));
}
