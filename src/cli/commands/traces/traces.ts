import type { TraceSummary } from "@aws-sdk/client-xray";
import { OperatorError } from "#core/errors";
import { xrayClient } from "../../aws.ts";
import { type Command, exit } from "../../command.ts";
import { duration } from "../../duration.ts";
import { clientFlags, clientOptions, text } from "../../options.ts";
import { table } from "../../output.ts";
import { jsonLine, printable } from "../../printable.ts";
import { since } from "../../since.ts";
import { requireFunction } from "../requests/limits.ts";

/** GetTraceSummaries looks at no more at once ("AWS X-Ray endpoints and quotas"). */
const SPAN_MS = 6 * 3_600_000;

export const traces: Command = {
  name: "traces",
  summary: "List traces, the latest first",
  arguments: [{ name: "[function]", description: "only those that it took part in" }],
  options: [
    ...clientOptions,
    { flags: "--since <time>", description: "as 90s, 15m, 2h, 3d or an ISO time (default 1h)" },
    { flags: "--errors", description: "only those in which something failed or was throttled" },
    { flags: "--filter <expression>", description: "X-Ray filter expression" },
    { flags: "--limit <number>", description: "how many at most (default 20)" },
    { flags: "--json", description: "one JSON object a line" },
  ],
  examples: [
    ["the latest", "thaw traces"],
    ["what a function failed in today", "thaw traces process-order --errors --since 1d"],
    ["the slow ones", "thaw traces --filter 'responsetime > 1' --limit 100"],
  ],
  async run(input, host) {
    const { out } = host;
    const [name] = input.arguments;
    const config = host.loadClientConfig(clientFlags(input));
    const now = Date.now();
    const from = since(text(input, "since") ?? "1h", now);
    if (from >= now) throw new OperatorError("--since: must be a time before now", exit.usage);
    const limit = Number(text(input, "limit") ?? "20");
    if (!Number.isInteger(limit) || limit < 1 || limit > 1000)
      throw new OperatorError("--limit: must be a number from 1 to 1000", exit.usage);
    const filter = filterOf(name, Boolean(input.options["errors"]), text(input, "filter"));
    const client = await xrayClient(config);
    // One that lies in two spans of time is found twice.
    const byId = new Map<string | undefined, TraceSummary>();
    for (let end = now; end > from && byId.size < limit; end -= SPAN_MS) {
      const range = { StartTime: new Date(Math.max(from, end - SPAN_MS)), EndTime: new Date(end) };
      for (const summary of await latest(client, { ...range, FilterExpression: filter }, limit))
        byId.set(summary.Id, summary);
    }
    const found = [...byId.values()].slice(0, limit);
    if (found.length === 0 && name !== undefined) await requireFunction(name, config);
    if (input.options["json"]) for (const summary of found) out.line(jsonLine(summary));
    else if (found.length === 0)
      out.line(
        `No traces since ${new Date(from).toISOString()}. A function has them with TracingConfig Active.`,
      );
    else
      for (const [at, line] of listing(found, out.width).entries())
        out.line(at === 0 ? out.bold(line) : line);
    return exit.ok;
  },
};

async function latest(
  client: Awaited<ReturnType<typeof xrayClient>>,
  request: {
    readonly StartTime: Date;
    readonly EndTime: Date;
    readonly FilterExpression: string | undefined;
  },
  limit: number,
): Promise<TraceSummary[]> {
  const { paginateGetTraceSummaries, InvalidRequestException } = await import("@aws-sdk/client-xray");
  let found: TraceSummary[] = [];
  try {
    for await (const { TraceSummaries = [] } of paginateGetTraceSummaries({ client }, request))
      found = [...found, ...TraceSummaries].toSorted((a, b) => startOf(b) - startOf(a)).slice(0, limit);
  } catch (error) {
    if (error instanceof InvalidRequestException && request.FilterExpression !== undefined)
      throw new OperatorError(`--filter: ${printable(error.message)}`, exit.usage);
    throw error;
  }
  return found;
}

function filterOf(
  name: string | undefined,
  errors: boolean,
  expression: string | undefined,
): string | undefined {
  if (name !== undefined && !/^[\w:-]+$/.test(name))
    throw new OperatorError(`traces: ${printable(name)} is no function's name`, exit.usage);
  const service = name === undefined ? undefined : `service("${name.split(":")[6] ?? name}")`;
  const failed = "error OR fault OR throttle";
  const parts = [
    service === undefined
      ? errors
        ? `(${failed})`
        : undefined
      : errors
        ? `${service} { ${failed} }`
        : service,
    expression === undefined ? undefined : `(${expression})`,
  ].filter((part) => part !== undefined);
  return parts.length === 0 ? undefined : parts.join(" AND ");
}

/** A line of names, then one a trace. @param width of the terminal, where it is one */
export function listing(summaries: readonly TraceSummary[], width: number | undefined): string[] {
  const rows = summaries.map((summary) => {
    const { Id = "", Duration, IsPartial, EntryPoint, ServiceIds = [], Http } = summary;
    const names = [...new Set(ServiceIds.map(({ Name = "" }) => Name))].filter((each) => each !== "");
    const others = names.filter((each) => each !== EntryPoint?.Name);
    const called = `${Http?.HttpMethod ?? ""} ${Http?.HttpURL ?? ""}`.trim();
    return [
      new Date(startOf(summary)).toISOString(),
      Id,
      `${IsPartial ? "> " : ""}${duration((Duration ?? 0) * 1000)}`,
      resultOf(summary),
      [EntryPoint?.Name ?? "", ...others].filter((each) => each !== "").join(" › ") +
        (called === "" ? "" : `  ${called}`),
    ].map((cell) => printable(cell));
  });
  return table([["time", "trace", "duration", "result", "services"], ...rows], width);
}

function resultOf({ HasThrottle, HasFault, HasError, Http }: TraceSummary): string {
  const status = Http?.HttpStatus === undefined ? "" : ` ${Http.HttpStatus}`;
  const word = HasThrottle ? "throttle" : HasFault ? "fault" : HasError ? "error" : "ok";
  return `${word}${status}`;
}

/** Epoch milliseconds; an id tells it, too. */
function startOf({ StartTime, Id = "" }: TraceSummary): number {
  return StartTime?.getTime() ?? Number.parseInt(Id.slice(2, 10), 16) * 1000;
}
