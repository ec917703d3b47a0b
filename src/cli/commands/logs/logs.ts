import type { FilteredLogEvent } from "@aws-sdk/client-cloudwatch-logs";
import { OperatorError } from "#core/errors";
import { type CliHost, type Command, type CommandInput, exit } from "../../command.ts";
import { logsClient } from "../../aws.ts";
import { clientFlags, clientOptions, text } from "../../options.ts";
import { jsonLine, printableLines } from "../../printable.ts";
import { since } from "../../since.ts";
import { explainMissing, logOf, whyNotKept } from "./group.ts";
import { query } from "./query.ts";
import { Reader } from "./reader.ts";

export const logs: Command = {
  name: "logs",
  summary: "Print what a function logged, follow it, or ask questions of it",
  arguments: [
    {
      name: "<function>",
      description: "function name, or a log group that begins with /; query asks CloudWatch Logs Insights",
    },
    { name: "[names]", description: "query: one or more functions or log groups, parted by commas" },
    { name: "[text]", description: "query: what to ask, in the language of Logs Insights" },
  ],
  options: [
    ...clientOptions,
    { flags: "--since <time>", description: "as 90s, 15m, 2h, 3d or an ISO time (default 1h)" },
    { flags: "--filter <pattern>", description: "CloudWatch Logs filter pattern" },
    { flags: "-f, --follow", description: "go on printing until Ctrl-C" },
    { flags: "-t, --tail", description: "the same, from ten minutes ago on" },
    { flags: "--until <time>", description: "query: as --since (default now)" },
    { flags: "--limit <number>", description: "query: rows at most, where the question itself says nothing" },
    { flags: "--json", description: "one JSON object a line" },
  ],
  examples: [
    ["the last hour", "thaw logs process-order"],
    ["the last minutes and what comes", "thaw logs process-order --tail"],
    ["errors as they come", "thaw logs process-order --filter ERROR --follow"],
    [
      "how often something was logged, by five minutes",
      "thaw logs query process-order 'filter @message like /refused/ | stats count(*) by bin(5m)' --since 3h",
    ],
    [
      "the slowest requests of two functions, for other programs",
      "thaw logs query cart,checkout 'filter @type = \"REPORT\" | sort @duration desc | limit 10' --json",
    ],
  ],
  async run(input, host) {
    const [name = "", names, question] = input.arguments;
    if (names === undefined) return print(name, input, host);
    if (name !== "query")
      throw new OperatorError(`logs: ${names} is one too many; ask with thaw logs query`, exit.usage);
    if (question === undefined)
      throw new OperatorError("logs query: say what to ask, after the function", exit.usage);
    return query(names.split(","), question, input, host);
  },
};

/** How long a following look waits for the next one. */
const POLL_MS = 500;

async function print(name: string, input: CommandInput, host: CliHost): Promise<number> {
  const config = host.loadClientConfig(clientFlags(input));
  const tail = Boolean(input.options["tail"]);
  const follow = tail || Boolean(input.options["follow"]);
  const json = Boolean(input.options["json"]);
  const { group, owns } = await logOf(name, config);
  const reader = new Reader(await logsClient(config), {
    group,
    owns,
    filter: text(input, "filter"),
    from: since(text(input, "since") ?? (tail ? "10m" : "1h"), Date.now()),
  });
  let stopped = false;
  const interrupted = host.untilInterrupted().then(() => (stopped = true));
  let told = false;
  let shown = 0;
  for (;;) {
    try {
      for await (const event of reader.news()) {
        show(event, json, host);
        shown++;
      }
    } catch (error) {
      // Who follows for long is asked to wait at times, and then goes on.
      if (!follow || (error as Error).name !== "ThrottlingException") throw error;
    }
    if (shown === 0 && !told) {
      const refused = await whyNotKept(group, config);
      if (refused !== undefined) host.out.error(`thaw: ${refused}`);
      told = refused !== undefined;
      if (told && !follow) return reader.missing ? exit.failed : exit.ok;
    }
    if (reader.missing && !told) {
      const reason = await explainMissing(name, group, config);
      if (!follow || !reason.comes) throw new OperatorError(reason.message);
      host.out.error(`${reason.message} Waiting for it… (Ctrl-C ends)`);
      told = true;
    }
    if (!follow) return exit.ok;
    await Promise.race([interrupted, new Promise((resolve) => setTimeout(resolve, POLL_MS))]);
    if (stopped) return exit.ok;
  }
}

/** Runtimes begin what a function prints with the time, as AWS's do: it need not be told twice. */
const TIMESTAMP = /^\[?[A-Z]*\]?\s*\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z\s/;

function show(event: FilteredLogEvent, json: boolean, { out }: CliHost): void {
  if (json) return out.line(jsonLine(event));
  const message = printableLines(event.message ?? "").join("\n");
  if (TIMESTAMP.test(message)) out.line(message);
  else out.line(`${out.dim(new Date(event.timestamp ?? 0).toISOString())} ${message}`);
}
