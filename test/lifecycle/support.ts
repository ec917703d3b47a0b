import {
  CreateFunctionCommand,
  type CreateFunctionRequest,
  InvokeCommand,
  LambdaClient,
  waitUntilFunctionActiveV2,
} from "@aws-sdk/client-lambda";
import { CloudWatchLogsClient, FilterLogEventsCommand } from "@aws-sdk/client-cloudwatch-logs";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll } from "vitest";
import { clientFor } from "../support/platform.ts";
import { until as waitUntil } from "../support/until.ts";
import { zipOf } from "../support/zip.ts";

export const ROLE = "arn:aws:iam::000000000000:role/thaw-basic-execution";

/** The managed runtime that the Node.js of this test is. */
export const RUNTIME = `nodejs${process.versions.node.split(".")[0]}.x` as NonNullable<
  CreateFunctionRequest["Runtime"]
>;

/** Answers at once. */
export const HELLO = `exports.handler = async (event) => {
  console.log("hello", JSON.stringify(event));
  return { hello: event };
};`;

/** Answers once the platform is ready no more: only a shutdown that lets it finish ever sees its answer. */
export const UNTIL_SHUTDOWN = `const ready = () =>
  fetch(process.env.AWS_ENDPOINT_URL + "/_thaw/health")
    .then((response) => response.json())
    .then(({ status }) => status === "ready", () => false);
exports.handler = async () => {
  while (await ready()) await new Promise((resolve) => setTimeout(resolve, 10));
  return "finished";
};`;

/** Never answers and cannot be asked to: it does not even look at its descriptors. */
export const SPINS = `exports.handler = async () => { console.log("spinning"); for (;;); };`;

/** Waits for ever, with an event loop that turns. */
export const WAITS = `exports.handler = () => {
  console.log("waiting");
  return new Promise(() => setInterval(() => {}, 1000));
};`;

export function lambdaFor(url: string): LambdaClient {
  return new LambdaClient({ ...clientFor(url), requestHandler: { httpAgent: { maxSockets: 500 } } });
}

/** A function of one file, with all the time it may want. */
export async function definition(
  name: string,
  source: string,
  settings: Partial<CreateFunctionRequest> = {},
): Promise<CreateFunctionRequest> {
  return {
    FunctionName: name,
    Runtime: RUNTIME,
    Handler: "index.handler",
    Role: ROLE,
    Timeout: 60,
    Code: { ZipFile: await zipOf({ "index.js": source }) },
    ...settings,
  };
}

/** Creates a function and waits until it is active. */
export async function create(
  lambda: LambdaClient,
  name: string,
  source: string,
  settings: Partial<CreateFunctionRequest> = {},
): Promise<void> {
  await lambda.send(new CreateFunctionCommand(await definition(name, source, settings)));
  const waiter = { client: lambda, maxWaitTime: 30, minDelay: 0.02, maxDelay: 0.2 };
  await waitUntilFunctionActiveV2(waiter, { FunctionName: name });
}

export async function invoke(
  lambda: LambdaClient,
  name: string,
  event: unknown = {},
): Promise<{ readonly error: string | undefined; readonly payload: unknown }> {
  const response = await lambda.send(
    new InvokeCommand({ FunctionName: name, Payload: Buffer.from(JSON.stringify(event)) }),
  );
  const payload = JSON.parse(Buffer.from(response.Payload ?? []).toString("utf8")) as unknown;
  return { error: response.FunctionError, payload };
}

/** Queues an event; resolves once it is acknowledged. */
export async function send(lambda: LambdaClient, name: string, event: unknown): Promise<void> {
  const Payload = Buffer.from(JSON.stringify(event));
  await lambda.send(new InvokeCommand({ FunctionName: name, InvocationType: "Event", Payload }));
}

/** The messages that a function logged; none where its group does not exist. */
export async function logged(url: string, name: string): Promise<readonly string[]> {
  const client = new CloudWatchLogsClient(clientFor(url));
  try {
    const { events = [] } = await client.send(
      new FilterLogEventsCommand({ logGroupName: `/aws/lambda/${name}` }),
    );
    return events.map(({ message = "" }) => message);
  } catch (error) {
    if ((error as Error).name === "ResourceNotFoundException") return [];
    throw error;
  } finally {
    client.destroy();
  }
}

export interface Health {
  readonly status: string;
  readonly version: string;
  readonly environments: number;
  readonly busy: number;
  readonly running: number;
}

export async function health(url: string): Promise<Health> {
  const response = await fetch(`${url}/_thaw/health`);
  return (await response.json()) as Health;
}

/** As `until` of unit tests, for what a whole platform may take on a busy machine. */
export function until(assertion: () => Promise<void> | void): Promise<void> {
  return waitUntil(assertion, 45_000);
}

/**
 * The guests of a platform that keeps its data in the folder, booted ones without a function too: plain processes are
 * told by their TMPDIR, those in a sandbox by what is mounted for them.
 */
export function guestsIn(folder: string): readonly number[] {
  return readdirSync("/proc")
    .map(Number)
    .filter((pid) => Number.isInteger(pid) && isGuest(pid, folder));
}

function isGuest(pid: number, folder: string): boolean {
  if (fileOf(pid, "environ").includes(`TMPDIR=${folder}/`)) return true;
  // Fields 4 and 5 are what was mounted, as its own file system names it, and where it is seen.
  const inFolder = `/${folder.split("/").slice(-2).join("/")}/`;
  return fileOf(pid, "mountinfo")
    .split("\n")
    .some((line) => {
      const [, , , source, target] = line.split(" ");
      return target === "/var/task" && source?.includes(inFolder);
    });
}

function fileOf(pid: number, name: string): string {
  try {
    return readFileSync(`/proc/${pid}/${name}`, "latin1");
  } catch {
    // Gone, or another user's.
    return "";
  }
}

/** A temporary folder, removed after the tests of a file. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "thaw-test-"));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}
