import { OperatorError } from "#core/errors";
import { type CliHost, type Command, type CommandInput, exit } from "../../command.ts";
import { clientFlags, clientOptions, text } from "../../options.ts";
import { jsonLine, printable } from "../../printable.ts";
import { since } from "../../since.ts";
import { bill } from "./bill.ts";
import { priceTable } from "./price-table.ts";
import { type PriceTable, pricesFor, readPrices, STANDARD_REGION } from "./prices.ts";
import { type Grouping, groups, sheet } from "./sheet.ts";
import { readUsage } from "./usage.ts";

export const cost: Command = {
  name: "cost",
  summary: "Tell what functions would cost on AWS: requests, GB-seconds, provisioned concurrency, storage",
  arguments: [{ name: "[function]", description: "one function, by day" }],
  options: [
    ...clientOptions,
    { flags: "--since <time>", description: "as 7d or an ISO time; whole days in UTC (default 30d)" },
    { flags: "--by <what>", description: "function, day or month (default function; day of one function)" },
    { flags: "--free-tier", description: "take off what an account has for nothing every month" },
    { flags: "--prices <file>", description: "other prices, in the form that --show-prices prints" },
    { flags: "--show-prices", description: "print the prices that are used" },
    { flags: "--json", description: "one JSON object" },
  ],
  examples: [
    ["what the last 30 days would have cost", "thaw cost"],
    ["a function, day by day", "thaw cost process-order --since 7d"],
    ["with prices of your own", "thaw cost --show-prices > prices.json && thaw cost --prices prices.json"],
  ],
  async run(input, host) {
    const { out } = host;
    const file = text(input, "prices");
    const table = file === undefined ? priceTable : readPrices(file);
    if (input.options["showPrices"]) {
      out.line(JSON.stringify(table, undefined, 2));
      return exit.ok;
    }
    const [name] = input.arguments;
    const by = groupingOf(text(input, "by"), name);
    const now = Date.now();
    const from = since(text(input, "since") ?? "30d", now);
    if (from > now) throw new OperatorError("--since: must be a time before now", exit.usage);
    const config = host.loadClientConfig(clientFlags(input));
    const days = { from: dayOf(Math.max(0, from)), to: dayOf(now) };
    // Tiers and what is free are of all functions together, so all of them are asked for.
    const usage = await readUsage(config, { ...days, by: by === "day" ? "day" : "month" });
    const region = text(input, "region");
    const lines = bill(usage, table, Boolean(input.options["freeTier"])).filter(
      ({ usage: line }) =>
        (name === undefined || line.function === name) && (region === undefined || line.region === region),
    );
    const unknown = [...new Set(lines.map((line) => line.usage.region))].filter(
      (each) => !pricesFor(table, each).known,
    );
    if (input.options["json"]) {
      const { date, source } = table;
      const { rows, total } = groups(lines, by);
      const freeTier = Boolean(input.options["freeTier"]);
      out.line(
        jsonLine({ ...days, by, prices: { date, source, unknownRegions: unknown }, freeTier, rows, total }),
      );
    } else if (lines.length === 0)
      out.line(
        `${name === undefined ? "Nothing has" : `${printable(name)} has not`} run since ${days.from}.`,
      );
    else print(lines, by, { table, unknown, days }, input, host);
    return exit.ok;
  },
};

function groupingOf(asked: string | undefined, name: string | undefined): Grouping {
  const by = asked ?? (name === undefined ? "function" : "day");
  if (by !== "function" && by !== "day" && by !== "month")
    throw new OperatorError("--by: must be function, day or month", exit.usage);
  return by;
}

function print(
  lines: Parameters<typeof sheet>[0],
  by: Grouping,
  about: {
    readonly table: PriceTable;
    readonly unknown: readonly string[];
    readonly days: { readonly from: string; readonly to: string };
  },
  input: CommandInput,
  { out }: CliHost,
): void {
  const [head = "", ...rows] = sheet(lines, by, out.width);
  out.line(out.bold(head));
  const total = rows.pop() ?? "";
  for (const row of rows) out.line(row);
  out.line(out.bold(total));
  const { table, unknown, days } = about;
  const free = input.options["freeTier"] ? "the free tier taken off" : "without the free tier (--free-tier)";
  out.line(
    out.dim(
      printable(
        `${days.from} to ${days.to}, US dollars; ${table.source} of ${table.date}, ${free}. Init is billed.`,
      ),
    ),
  );
  for (const region of unknown)
    out.line(out.dim(`There are no prices for ${printable(region)}: those of ${STANDARD_REGION} are used.`));
}

function dayOf(time: number): string {
  return new Date(time).toISOString().slice(0, 10);
}
