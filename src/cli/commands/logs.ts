import type { CloudWatchLogsClient, FilteredLogEvent } from "@aws-sdk/client-cloudwatch-logs";
import type { ClientConfig } from "#config/client";
import { OperatorError } from "#core/errors";
import { type CliHost, type Command, exit } from "../command.ts";
import { lambdaClient, logsClient } from "../aws.ts";
import { clientFlags, clientOptions, text } from "../options.ts";
import { since } from "../since.ts";
import { readPermissions } from "./iam/permissions.ts";

export const logs: Command = {
  name: "logs",
  summary: "Print what a function logged",
  arguments: [{ name: "<function>", description: "function name, or a log group that begins with /" }],
  options: [
    ...clientOptions,
    { flags: "--since <time>", description: "as 90s, 15m, 2h, 3d or an ISO time (default 1h)" },
    { flags: "--filter <pattern>", description: "CloudWatch Logs filter pattern" },
    { flags: "-f, --follow", description: "go on printing until Ctrl-C" },
    { flags: "--json", description: "one JSON object a line" },
  ],
  examples: [
    ["the last hour", "thaw logs process-order"],
    ["errors as they come", "thaw logs process-order --filter ERROR --follow"],
  ],
  async run(input, host) {
    const [name = ""] = input.arguments;
    const config = host.loadClientConfig(clientFlags(input));
    const follow = Boolean(input.options["follow"]);
    const reader = new Reader(await logsClient(config), {
      group: name.startsWith("/") ? name : `/aws/lambda/${name}`,
      filter: text(input, "filter"),
      from: since(text(input, "since") ?? "1h", Date.now()),
    });
    let stopped = false;
    const interrupted = host.untilInterrupted().then(() => (stopped = true));
    let told = false;
    let printed = 0;
    for (;;) {
      for await (const event of reader.news()) {
        print(event, Boolean(input.options["json"]), host);
        printed++;
      }
      if (printed === 0 && !told) {
        const refused = await whyNotKept(reader.group, config);
        if (refused !== undefined) host.out.error(`thaw: ${refused}`);
        told = refused !== undefined;
        if (told && !follow) return reader.missing ? exit.failed : exit.ok;
      }
      if (reader.missing && !told) {
        const reason = await explainMissing(name, reader.group, config);
        if (!follow || !reason.comes) throw new OperatorError(reason.message);
        host.out.error(`${reason.message} Waiting for it… (Ctrl-C ends)`);
        told = true;
      }
      if (!follow) return exit.ok;
      await Promise.race([interrupted, new Promise((resolve) => setTimeout(resolve, 500))]);
      if (stopped) return exit.ok;
    }
  },
};

interface Query {
  readonly group: string;
  readonly filter: string | undefined;
  /** Epoch milliseconds. */
  readonly from: number;
}

/** Reads a log group on from where it has come to. */
class Reader {
  readonly group: string;
  /** Whether the last look found no such group. */
  missing = false;
  readonly #client: CloudWatchLogsClient;
  readonly #filter: string | undefined;
  #from: number;
  /** Events of one millisecond may arrive in two looks: which of them were given out. */
  #seen = new Set<string>();

  constructor(client: CloudWatchLogsClient, { group, filter, from }: Query) {
    this.#client = client;
    this.group = group;
    this.#filter = filter;
    this.#from = from;
  }

  /** Events that came since the last call. */
  async *news(): AsyncGenerator<FilteredLogEvent> {
    const { paginateFilterLogEvents, ResourceNotFoundException } =
      await import("@aws-sdk/client-cloudwatch-logs");
    const request = { logGroupName: this.group, startTime: this.#from, filterPattern: this.#filter };
    this.missing = false;
    try {
      for await (const { events = [] } of paginateFilterLogEvents({ client: this.#client }, request))
        for (const event of events) if (this.#isNew(event)) yield event;
    } catch (error) {
      if (!(error instanceof ResourceNotFoundException)) throw error;
      this.missing = true;
    }
  }

  #isNew({ eventId = "", timestamp = 0 }: FilteredLogEvent): boolean {
    if (this.#seen.has(eventId)) return false;
    if (timestamp > this.#from) {
      this.#from = timestamp;
      this.#seen = new Set();
    }
    this.#seen.add(eventId);
    return true;
  }
}

/** Why the platform does not keep what a function logs, where it told of that last; it tells that on its own machine alone. */
async function whyNotKept(group: string, config: ClientConfig): Promise<string | undefined> {
  const { uses } = await readPermissions(config).catch(() => ({ uses: [] }));
  const about = uses.filter(({ resource }) => resource.includes(`:log-group:${group}:`));
  const refused = about.find(
    ({ action, allowed, last }) =>
      action.startsWith("logs:") &&
      !allowed &&
      !about.some(
        (other) => other.allowed && other.last > last && [action, "logs:PutLogEvents"].includes(other.action),
      ),
  );
  return refused === undefined
    ? undefined
    : `What is logged to ${group} is not kept: ${refused.holder} may not ${refused.action}. The policy AWSLambdaBasicExecutionRole lets it.`;
}

/** Why there is no log group, and whether it comes by itself: a function's does with its first invocation. */
async function explainMissing(
  name: string,
  group: string,
  config: ClientConfig,
): Promise<{ readonly message: string; readonly comes: boolean }> {
  const where = `in ${config.region} at ${config.endpoint}`;
  if (name.startsWith("/")) return { message: `There is no log group ${group} ${where}.`, comes: false };
  const { GetFunctionConfigurationCommand, ResourceNotFoundException } =
    await import("@aws-sdk/client-lambda");
  try {
    const client = await lambdaClient(config);
    await client.send(new GetFunctionConfigurationCommand({ FunctionName: name }));
    return { message: `The function ${name} has logged nothing yet.`, comes: true };
  } catch (error) {
    if (!(error instanceof ResourceNotFoundException)) throw error;
    return { message: `There is no function ${name}, and no log group ${group}, ${where}.`, comes: false };
  }
}

/** Runtimes begin what a function prints with the time, as AWS's do: it need not be told twice. */
const TIMESTAMP = /^\[?[A-Z]*\]?\s*\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z\s/;

function print(event: FilteredLogEvent, json: boolean, { out }: CliHost): void {
  if (json) return out.line(JSON.stringify(event));
  const message = (event.message ?? "").replace(/\n$/, "");
  if (TIMESTAMP.test(message)) out.line(message);
  else out.line(`${out.dim(new Date(event.timestamp ?? 0).toISOString())} ${message}`);
}
