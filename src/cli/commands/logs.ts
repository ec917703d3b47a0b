import type { FilteredLogEvent } from "@aws-sdk/client-cloudwatch-logs";
import { OperatorError } from "#core/errors";
import { type CliHost, type Command, exit } from "../command.ts";
import { endpointOf, logsClient } from "../aws.ts";
import { clientOptions, text } from "../options.ts";

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
    const client = await logsClient(endpointOf(input, host));
    const { FilterLogEventsCommand } = await import("@aws-sdk/client-cloudwatch-logs");
    const filter = text(input, "filter");
    let from = since(text(input, "since") ?? "1h", Date.now());
    // Events of one millisecond may arrive in two polls: remember which were printed.
    let seen = new Set<string>();
    let stopped = false;
    const interrupted = host.untilInterrupted().then(() => (stopped = true));
    for (;;) {
      let nextToken: string | undefined;
      do {
        const page = await client.send(
          new FilterLogEventsCommand({
            logGroupName: name.startsWith("/") ? name : `/aws/lambda/${name}`,
            startTime: from,
            ...(filter === undefined ? {} : { filterPattern: filter }),
            ...(nextToken === undefined ? {} : { nextToken }),
          }),
        );
        for (const event of page.events ?? []) {
          const id = event.eventId ?? "";
          if (seen.has(id)) continue;
          if ((event.timestamp ?? 0) > from) {
            from = event.timestamp ?? from;
            seen = new Set();
          }
          seen.add(id);
          print(event, Boolean(input.options["json"]), host);
        }
        nextToken = page.nextToken;
      } while (nextToken !== undefined);
      if (!input.options["follow"]) return exit.ok;
      await Promise.race([interrupted, new Promise((resolve) => setTimeout(resolve, 500))]);
      if (stopped) return exit.ok;
    }
  },
};

function print(event: FilteredLogEvent, json: boolean, { out }: CliHost): void {
  if (json) out.line(JSON.stringify(event));
  else
    out.line(
      `${out.dim(new Date(event.timestamp ?? 0).toISOString())} ${(event.message ?? "").replace(/\n$/, "")}`,
    );
}

const unitMs: Readonly<Record<string, number>> = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** `15m` before `now`, or an ISO time; epoch milliseconds. */
function since(value: string, now: number): number {
  const [, amount, unit] = /^(\d+)([smhd])$/.exec(value) ?? [];
  if (amount !== undefined && unit !== undefined) return now - Number(amount) * (unitMs[unit] ?? 0);
  const time = Date.parse(value);
  if (Number.isNaN(time))
    throw new OperatorError("--since: must be as 90s, 15m, 2h, 3d or an ISO time", exit.usage);
  return time;
}
