import { join } from "node:path";
import type { LambdaClient } from "@aws-sdk/client-lambda";
import { lambdaClient } from "../../aws.ts";
import type { Config } from "#config/settings";
import {
  type CliHost,
  type Command,
  type CommandInput,
  exit,
  type Output,
  type RunningPlatform,
} from "../../command.ts";
import { connectOptions, endpointOf, envLine } from "../../connect.ts";
import { platformFlags, platformOptions } from "../../options.ts";
import { drain } from "../drain.ts";
import { printReport } from "../doctor.ts";
import { deploy } from "./deploy.ts";
import { type Example, readExamples, zipExample } from "./examples.ts";
import { type Layer, packLayer, publishLayer } from "./layers.ts";

export const demo: Command = {
  name: "demo",
  summary: "Start the platform, deploy and invoke the examples, and show what is enforced",
  options: [...platformOptions, { flags: "--exit", description: "end after the demonstration" }],
  examples: [
    ["see it, and go on playing", "thaw demo"],
    ["in CI", "thaw demo --ephemeral --exit"],
  ],
  async run(input, host) {
    const { out } = host;
    const config = quiet(host.loadConfig(platformFlags(input)), input);
    const interrupted = host.untilInterrupted();
    const platform = await host.startPlatform(config);
    try {
      const showing = showAll(platform, config, host);
      const code = await Promise.race([showing, interrupted.then(() => undefined)]);
      if (code === undefined) {
        // What it still does fails with the platform, which is no news to whoever pressed Ctrl-C.
        showing.catch(() => {});
        return exit.failed;
      }
      if (!input.options["exit"]) {
        out.line("\nThe platform runs on; Ctrl-C ends it.");
        await interrupted;
      }
      return code;
    } finally {
      await drain(platform, host);
    }
  },
};

/** The demonstration tells what it asks for by itself: the platform's line a request would stand between. */
function quiet(config: Config, input: CommandInput): Config {
  const asked = input.options["logLevel"] !== undefined;
  return asked || config.logLevel !== "info" ? config : { ...config, logLevel: "warn" };
}

/** Shows every example, what is enforced and how to go on. Resolves with the exit code. */
async function showAll(platform: RunningPlatform, config: Config, host: CliHost): Promise<number> {
  const { out } = host;
  let code: number = exit.ok;
  out.line(`${out.bold("Thaw")} ${host.version} is ready at ${platform.url} (${platform.startedInMs} ms)`);
  const client = await lambdaClient(endpointOf(platform, config));
  const runtimes = availableOf(await host.runtimes(config));
  const guide = join(host.home, "examples", "guide");
  const role = `arn:aws:iam::${config.account}:role/thaw-basic-execution`;
  for (const example of await readExamples(guide)) {
    const needed = await gather(guide, example, runtimes);
    if ("lacks" in needed) out.line(`\n${out.bold(example.name)}: skipped, ${needed.lacks}`);
    else if (!(await show(client, example, { ...needed, role }, out))) code = exit.failed;
  }
  out.line(`\n${out.bold("What is enforced on this host")}`);
  printReport(await host.doctor(config), out);
  showNext(platform, config, host);
  return code;
}

/** The available runtimes, the newest of each language before the others: `nodejs22.x` before `nodejs20.x`. */
function availableOf(runtimes: Awaited<ReturnType<CliHost["runtimes"]>>): readonly string[] {
  const names = runtimes.filter(({ state }) => state === "available").map(({ name }) => name);
  return names.sort((a, b) => b.localeCompare(a, "en", { numeric: true }));
}

interface Gathered {
  readonly runtime: string;
  readonly layers: readonly Layer[];
}

/** What of the host an example is deployed with: the newest runtime of its language that its layers are made for. */
async function gather(
  guide: string,
  example: Example,
  runtimes: readonly string[],
): Promise<Gathered | { lacks: string }> {
  const ofLanguage = runtimes.filter((name) => name.startsWith(example.language));
  if (ofLanguage.length === 0) return { lacks: `no ${example.language} was found (thaw runtimes)` };
  const layers: Layer[] = [];
  for (const description of example.layers) {
    const layer = await packLayer(guide, description);
    if (typeof layer === "string") return { lacks: `no ${layer} was found` };
    layers.push(layer);
  }
  const demanded = layers.map(({ runtime }) => runtime).find((runtime) => runtime !== undefined);
  const runtime = ofLanguage.find((name) => demanded === undefined || name === demanded);
  return runtime === undefined ? { lacks: `no ${demanded} was found (thaw runtimes)` } : { runtime, layers };
}

/** Deploys and invokes one example and prints what came of it; `false` where it did not do what it is there for. */
async function show(
  client: LambdaClient,
  example: Example,
  { runtime, role, layers }: Gathered & { role: string },
  out: Output,
): Promise<boolean> {
  const { InvokeCommand } = await import("@aws-sdk/client-lambda");
  out.line(`\n${out.bold(example.name)} ${out.dim(`${runtime}  ${example.about}`)}`);
  const published: string[] = [];
  for (const layer of layers) published.push(await publishLayer(client, layer));
  for (const arn of published) out.line(`  layer ${arn}`);
  const code = await zipExample(example);
  const how = await deploy(client, example, { runtime, role, code, layers: published });
  const event = JSON.stringify(example.event);
  const response = await client.send(
    new InvokeCommand({ FunctionName: example.name, Payload: Buffer.from(event), LogType: "Tail" }),
  );
  const payload = Buffer.from(response.Payload ?? []).toString("utf8");
  out.line(`  ${how}, invoked with ${event}`);
  const mark = response.FunctionError === undefined ? out.green("response") : out.red("error   ");
  out.line(`  ${mark} ${payload}`);
  const log = Buffer.from(response.LogResult ?? "", "base64")
    .toString("utf8")
    .trimEnd();
  for (const line of log.split("\n")) out.line(`  ${out.dim(`│ ${line.trimEnd()}`)}`);
  const failed = response.FunctionError === undefined ? undefined : errorType(payload);
  if (failed === example.fails) return true;
  if (example.needs !== undefined && failed === "Runtime.ImportModuleError") {
    out.line(`  skipped: this host's ${example.language} has no ${example.needs}`);
    return true;
  }
  out.line(out.red(`  expected ${example.fails ?? "a response"}, got ${failed ?? "a response"}`));
  return false;
}

function errorType(payload: string): string | undefined {
  return (JSON.parse(payload) as { errorType?: string }).errorType;
}

function showNext(platform: RunningPlatform, config: Config, host: CliHost): void {
  const { out, program } = host;
  const options = connectOptions(platform, config, host);
  out.line(`\n${out.bold("Go on")} in another terminal, with any AWS tool or with Thaw's own commands:`);
  out.line(`  ${envLine(platform, config, host)}`);
  out.line("  aws lambda list-functions");
  out.line(`  ${program} invoke process-order-node --payload '{"order_id": 7}' --tail${options}`);
  out.line(`  ${program} logs process-order-node${options}`);
  out.line(`  ${program} --help`);
  if (!config.ephemeral) out.line(out.dim(`The functions stay in ${config.data}.`));
}
