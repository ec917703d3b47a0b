// Platforms with their walls, and functions in them that run what a test hands them.
import {
  CreateFunctionCommand,
  type CreateFunctionRequest,
  DeleteFunctionCommand,
  InvokeCommand,
  LambdaClient,
  waitUntilFunctionActiveV2,
} from "@aws-sdk/client-lambda";
import { spawnSync } from "node:child_process";
import { accessSync, chownSync, constants, existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { bubblewrapUsable } from "#engine/sandbox/bubblewrap/usable";
import { findOciRuntime } from "#engine/sandbox/oci/runtime";
import { ensureBuilt } from "../../support/built.ts";
import { clientFor, startPlatform, type TestPlatform } from "../../support/platform.ts";
import { zipOf } from "../../support/zip.ts";

/** Any number will do: the platform needs neither a name nor a home folder of the user's. */
const ORDINARY_USER = 54321;

export interface WallKind {
  readonly title: string;
  readonly sandbox: "bubblewrap" | "oci" | "process";
  readonly user: number | undefined;
  /** Why it cannot be tried here. */
  readonly missing: string | undefined;
}

/** Every back end, as every kind of user that this host lets the test be. */
export async function wallKinds(): Promise<readonly WallKind[]> {
  const root = process.getuid?.() === 0;
  const dist = await ensureBuilt();
  const use = await bubblewrapUsable();
  const unusable = use.usable ? undefined : use.why;
  const noRuntime = await findOciRuntime().then(
    () => undefined,
    (error: Error) => error.message,
  );
  const walkable = spawnSync("setpriv", [...as(ORDINARY_USER), "test", "-r", join(dist, "main.js")]);
  return [
    {
      title: root ? "bubblewrap as root" : "bubblewrap",
      sandbox: "bubblewrap",
      user: undefined,
      missing: unusable,
    },
    {
      title: "bubblewrap as an ordinary user",
      sandbox: "bubblewrap",
      user: ORDINARY_USER,
      missing: !root
        ? "root, to become another user: run the tests as that one"
        : walkable.status === 0
          ? unusable
          : "a checkout that other users may read",
    },
    {
      title: root ? "an OCI runtime as root" : "an OCI runtime",
      sandbox: "oci",
      user: undefined,
      missing: unusable ?? noRuntime,
    },
    {
      title: "process",
      sandbox: "process",
      user: undefined,
      missing: process.platform === "linux" ? undefined : "Linux",
    },
  ];
}

function as(user: number): string[] {
  return [`--reuid=${user}`, `--regid=${user}`, "--clear-groups", "--"];
}

export interface Answer {
  readonly error: string | undefined;
  readonly payload: unknown;
  /** The last 4 KB of the log. */
  readonly tail: string;
}

export interface World {
  readonly kind: WallKind;
  readonly platform: TestPlatform;
  readonly lambda: LambdaClient;
  /** The platform's own, in which a guest must see nothing. */
  readonly folder: string;
  /** Whether `thaw doctor` says that a limit is enforced here. */
  enforces(limit: string): boolean;
  /** Such as `python3.11`; undefined where this host has no Python. */
  readonly python: string | undefined;
  /** A function that runs the Python that an event holds, with `os` and `event` in reach; it answers what is assigned to `result`. */
  pythonFunction(name: string, settings?: Partial<CreateFunctionRequest>): Promise<void>;
  /** A function that runs the JavaScript that an event holds, with `require` and `event` in reach; it answers what is returned. */
  nodeFunction(name: string, settings?: Partial<CreateFunctionRequest>): Promise<void>;
  create(
    name: string,
    files: Readonly<Record<string, string>>,
    settings: Partial<CreateFunctionRequest>,
  ): Promise<void>;
  delete(name: string): Promise<void>;
  invoke(name: string, event?: unknown): Promise<Answer>;
  /** What a program answers in such a function; throws where it failed. */
  run(name: string, code: string, event?: Readonly<Record<string, unknown>>): Promise<unknown>;
  /** Invokes a function of its own, over and over, for as long as `attack` takes; every one must succeed. */
  alongside<T>(attack: () => Promise<T>): Promise<{ readonly result: T; readonly served: number }>;
  close(): Promise<void>;
}

interface Doctor {
  readonly checks: readonly { readonly limit: string; readonly level: string }[];
  readonly runtimes: readonly { readonly name: string; readonly state: string }[];
}

const ROLE = "arn:aws:iam::000000000000:role/thaw-basic-execution";
/** The managed runtime that the Node.js of this test is. */
export const NODE_RUNTIME = `nodejs${process.versions.node.split(".")[0] ?? ""}.x` as NonNullable<
  CreateFunctionRequest["Runtime"]
>;

const PYTHON_SOURCE = `import os
def handler(event, context):
    scope = {"os": os, "event": event, "context": context}
    exec(event["code"], scope)
    return scope.get("result")
`;
const NODE_SOURCE = `const AsyncFunction = (async () => {}).constructor;
exports.handler = (event, context) => new AsyncFunction("require", "event", "context", event.code)(require, event, context);
`;

export async function openWorld(kind: WallKind, flags: readonly string[] = []): Promise<World> {
  const dist = await ensureBuilt();
  const folder = mkdtempSync(join(tmpdir(), "thaw-escape-"));
  if (kind.user !== undefined) chownSync(folder, kind.user, kind.user);
  const variables = { HOME: folder, TMPDIR: folder, XDG_CACHE_HOME: folder, THAW_TEST_SECRET: "of the host" };
  const identity = kind.user === undefined ? {} : { user: kind.user };
  const command = [process.execPath, join(dist, "main.js"), "doctor", "--sandbox", kind.sandbox, "--json"];
  const [program = "", ...rest] =
    kind.user === undefined ? command : ["setpriv", ...as(kind.user), ...command];
  const told = spawnSync(program, rest, {
    encoding: "utf8",
    cwd: "/",
    env: { ...process.env, ...variables },
  });
  const doctor = JSON.parse(told.stdout) as Doctor;
  const python = doctor.runtimes.find(
    ({ name, state }) => name.startsWith("python") && state === "available",
  )?.name;
  const data = join(folder, "data");
  const platform = await startPlatform(
    ["--data", data, "--sandbox", kind.sandbox, ...flags],
    variables,
    identity,
  );
  const lambda = new LambdaClient({
    ...clientFor(platform.url),
    requestHandler: { httpAgent: { maxSockets: 200 } },
  });
  return new RunningWorld(kind, platform, lambda, folder, doctor, python);
}

class RunningWorld implements World {
  readonly kind: WallKind;
  readonly platform: TestPlatform;
  readonly lambda: LambdaClient;
  readonly folder: string;
  readonly python: string | undefined;
  readonly #doctor: Doctor;
  #bystander: Promise<void> | undefined;

  constructor(
    kind: WallKind,
    platform: TestPlatform,
    lambda: LambdaClient,
    folder: string,
    doctor: Doctor,
    python: string | undefined,
  ) {
    this.kind = kind;
    this.platform = platform;
    this.lambda = lambda;
    this.folder = folder;
    this.python = python;
    this.#doctor = doctor;
  }

  enforces(limit: string): boolean {
    return this.#doctor.checks.some((check) => check.limit === limit && check.level === "enforced");
  }

  async create(
    name: string,
    files: Readonly<Record<string, string>>,
    settings: Partial<CreateFunctionRequest>,
  ): Promise<void> {
    await this.lambda.send(
      new CreateFunctionCommand({
        FunctionName: name,
        Role: ROLE,
        Timeout: 30,
        MemorySize: 512,
        Code: { ZipFile: await zipOf(files) },
        ...settings,
      }),
    );
    const waiter = { client: this.lambda, maxWaitTime: 60, minDelay: 0.02, maxDelay: 0.2 };
    await waitUntilFunctionActiveV2(waiter, { FunctionName: name });
  }

  pythonFunction(name: string, settings: Partial<CreateFunctionRequest> = {}): Promise<void> {
    const Runtime = this.python as CreateFunctionRequest["Runtime"];
    return this.create(name, { "app.py": PYTHON_SOURCE }, { Runtime, Handler: "app.handler", ...settings });
  }

  nodeFunction(name: string, settings: Partial<CreateFunctionRequest> = {}): Promise<void> {
    return this.create(
      name,
      { "index.js": NODE_SOURCE },
      { Runtime: NODE_RUNTIME, Handler: "index.handler", ...settings },
    );
  }

  async delete(name: string): Promise<void> {
    await this.lambda.send(new DeleteFunctionCommand({ FunctionName: name }));
  }

  async invoke(name: string, event: unknown = {}): Promise<Answer> {
    const answer = await this.lambda.send(
      new InvokeCommand({
        FunctionName: name,
        LogType: "Tail",
        Payload: Buffer.from(JSON.stringify(event)),
      }),
    );
    return {
      error: answer.FunctionError,
      payload: JSON.parse(Buffer.from(answer.Payload ?? []).toString() || "null") as unknown,
      tail: Buffer.from(answer.LogResult ?? "", "base64").toString(),
    };
  }

  async run(name: string, code: string, event: Readonly<Record<string, unknown>> = {}): Promise<unknown> {
    const { error, payload, tail } = await this.invoke(name, { code, ...event });
    if (error !== undefined) throw new Error(`${JSON.stringify(payload)}\n${tail}`);
    return payload;
  }

  async alongside<T>(attack: () => Promise<T>): Promise<{ readonly result: T; readonly served: number }> {
    this.#bystander ??= this.nodeFunction("bystander");
    await this.#bystander;
    const once = async (served: number): Promise<void> => {
      const answer = await this.run("bystander", "return event.served", { served });
      if (answer !== served) throw new Error(`the bystander answered ${JSON.stringify(answer)}`);
    };
    await once(0);
    const over = new AbortController();
    let served = 0;
    const serving = (async () => {
      // oxlint-disable-next-line no-await-in-loop
      while (!over.signal.aborted) await once(++served);
    })();
    try {
      const [result] = await Promise.all([attack().finally(() => over.abort()), serving]);
      return { result, served };
    } finally {
      over.abort();
    }
  }

  async close(): Promise<void> {
    this.lambda.destroy();
    await this.platform.stop();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** Whether this user may read a file of the host. */
export function readable(path: string): boolean {
  try {
    accessSync(path, constants.R_OK);
    return existsSync(path);
  } catch {
    return false;
  }
}
