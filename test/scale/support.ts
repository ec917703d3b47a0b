import {
  CreateFunctionCommand,
  type CreateFunctionRequest,
  DeleteFunctionCommand,
  InvokeCommand,
  LambdaClient,
  waitUntilFunctionActiveV2,
} from "@aws-sdk/client-lambda";
import { once } from "node:events";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { Agent } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { bubblewrapUsable } from "#engine/sandbox/bubblewrap/usable";
import { clientFor, startPlatform, type TestPlatform } from "../support/platform.ts";
import { zipOf } from "../support/zip.ts";

/** `./thaw test --soak` sets THAW_SOAK: the runs at full scale, whose figures stand in docs/durability.md. */
export const soak = process.env["THAW_SOAK"] === "1";

const use = await bubblewrapUsable();
export const sandbox = use.usable ? "bubblewrap" : "process";

export const RUNTIME = `nodejs${process.versions.node.split(".")[0] ?? ""}.x` as NonNullable<
  CreateFunctionRequest["Runtime"]
>;

export const ECHO = `exports.handler = async (event, context) => {
  if (event.ms) await new Promise((resolve) => setTimeout(resolve, event.ms));
  return { event, environment: context.logStreamName.slice(-32) };
};`;

export interface Answer {
  readonly error: string | undefined;
  readonly payload: unknown;
}

export interface Memory {
  readonly heapUsed: number;
  readonly rss: number;
}

/** A platform with functions in the strongest sandbox of this host. */
export class Plant {
  readonly folder: string;
  readonly platform: TestPlatform;
  readonly lambda: LambdaClient;
  readonly #agent: Agent;

  private constructor(folder: string, platform: TestPlatform) {
    this.folder = folder;
    this.platform = platform;
    this.#agent = new Agent({ keepAlive: true, maxSockets: 1000 });
    this.lambda = new LambdaClient({
      ...clientFor(platform.url),
      requestHandler: { httpAgent: this.#agent, requestTimeout: 300_000 },
    });
  }

  static async open(
    flags: readonly string[] = [],
    folder = mkdtempSync(join(tmpdir(), "thaw-scale-")),
  ): Promise<Plant> {
    const probe = fileURLToPath(new URL("probe.mjs", import.meta.url));
    const platform = await startPlatform(
      ["--data", join(folder, "data"), "--sandbox", sandbox, ...flags],
      {},
      { nodeFlags: ["--expose-gc", "--import", probe], channel: true },
    );
    return new Plant(folder, platform);
  }

  async create(name: string, source = ECHO, settings: Partial<CreateFunctionRequest> = {}): Promise<void> {
    await this.lambda.send(
      new CreateFunctionCommand({
        FunctionName: name,
        Runtime: RUNTIME,
        Handler: "index.handler",
        Role: "arn:aws:iam::000000000000:role/thaw-basic-execution",
        Timeout: 60,
        Code: { ZipFile: await zipOf({ "index.js": source }) },
        ...settings,
      }),
    );
    const waiter = { client: this.lambda, maxWaitTime: 120, minDelay: 0.01, maxDelay: 0.2 };
    await waitUntilFunctionActiveV2(waiter, { FunctionName: name });
  }

  async delete(name: string): Promise<void> {
    await this.lambda.send(new DeleteFunctionCommand({ FunctionName: name }));
  }

  async invoke(name: string, event: unknown = {}): Promise<Answer> {
    const answer = await this.lambda.send(
      new InvokeCommand({ FunctionName: name, Payload: Buffer.from(JSON.stringify(event)) }),
    );
    const text = Buffer.from(answer.Payload ?? []).toString() || "null";
    return { error: answer.FunctionError, payload: JSON.parse(text) as unknown };
  }

  async memory(): Promise<Memory> {
    const told = once(this.platform.process, "message") as Promise<[Memory]>;
    this.platform.process.send("memory");
    return (await told)[0];
  }

  /** Ids of the environments that have a folder on disk. */
  environments(): readonly string[] {
    const folder =
      sandbox === "bubblewrap" ? "data/sandboxes/bubblewrap/environments" : "data/sandboxes/process";
    const path = join(this.folder, folder);
    return existsSync(path) ? readdirSync(path) : [];
  }

  /** What runs below the platform, by process id. */
  processes(): ReadonlyMap<number, string> {
    return descendants(this.platform.pid);
  }

  spawner(): number | undefined {
    return [...this.processes()].find(([, line]) => line.includes("spawner-main.js"))?.[0];
  }

  /** First processes of functions' runtimes. */
  guests(): readonly number[] {
    return [...this.processes()]
      .filter(
        ([, line]) => line.includes("bootstrap.cjs") && !line.includes("bwrap") && !line.includes("prlimit"),
      )
      .map(([pid]) => pid);
  }

  async close(): Promise<void> {
    this.lambda.destroy();
    this.#agent.destroy();
    await this.platform.stop();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** The command lines of a process's descendants, its words divided by spaces. */
function descendants(root: number): Map<number, string> {
  const children = new Map<number, number[]>();
  for (const name of readdirSync("/proc")) {
    const parent = parentOf(name);
    if (parent === undefined) continue;
    children.set(parent, [...(children.get(parent) ?? []), Number(name)]);
  }
  const found = new Map<number, string>();
  const walk = (pid: number): void => {
    for (const child of children.get(pid) ?? []) {
      found.set(child, commandLine(child));
      walk(child);
    }
  };
  walk(root);
  return found;
}

function parentOf(name: string): number | undefined {
  if (!/^\d+$/.test(name)) return undefined;
  try {
    const stat = readFileSync(`/proc/${name}/stat`, "latin1");
    return Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1]);
  } catch {
    return undefined;
  }
}

export function commandLine(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "latin1").replaceAll("\0", " ");
  } catch {
    return "";
  }
}

export function alive(pid: number): boolean {
  return commandLine(pid) !== "";
}

/** Runs `count` jobs, so many at once. */
export async function parallel(
  count: number,
  width: number,
  job: (index: number) => Promise<void>,
): Promise<void> {
  let next = 0;
  const work = async (): Promise<void> => {
    // oxlint-disable-next-line no-await-in-loop
    for (let index = next++; index < count; index = next++) await job(index);
  };
  await Promise.all(Array.from({ length: width }, work));
}
