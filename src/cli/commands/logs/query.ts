import type {
  CloudWatchLogsClient,
  GetQueryResultsResponse,
  ResultField,
} from "@aws-sdk/client-cloudwatch-logs";
import type { ClientConfig } from "#config/client";
import { OperatorError } from "#core/errors";
import { type CliHost, type CommandInput, exit } from "../../command.ts";
import { logsClient } from "../../aws.ts";
import { clientFlags, text } from "../../options.ts";
import { table } from "../../output.ts";
import { jsonLine, printable } from "../../printable.ts";
import { since } from "../../since.ts";
import { explainMissing, logOf } from "./group.ts";

/** A row of the answer: its fields by name, in the order of the question. */
export type Row = ReadonlyMap<string, string>;

const FIRST_POLL_MS = 50;
const LAST_POLL_MS = 1000;

/** Asks CloudWatch Logs Insights and prints its answer as a table. */
export async function query(
  names: readonly string[],
  question: string,
  input: CommandInput,
  host: CliHost,
): Promise<number> {
  const config = host.loadClientConfig(clientFlags(input));
  const now = Date.now();
  const range = {
    startTime: Math.floor(since(text(input, "since") ?? "1h", now) / 1000),
    endTime: Math.ceil(since(text(input, "until") ?? "0s", now, "--until") / 1000),
  };
  if (range.startTime >= range.endTime)
    throw new OperatorError("--since: must be a time before --until", exit.usage);
  const client = await logsClient(config);
  const { StartQueryCommand, MalformedQueryException, ResourceNotFoundException } =
    await import("@aws-sdk/client-cloudwatch-logs");
  const asked = await Promise.all(
    names.map(async (name) => ({ name, group: (await logOf(name, config)).group })),
  );
  const start = new StartQueryCommand({
    logGroupNames: [...new Set(asked.map(({ group }) => group))],
    queryString: question,
    ...range,
    limit: limitOf(input),
  });
  const { queryId = "" } = await client.send(start).catch(async (error: unknown) => {
    if (error instanceof MalformedQueryException)
      throw new OperatorError(`logs query: ${printable(error.message)}`, exit.usage);
    if (!(error instanceof ResourceNotFoundException)) throw error;
    const missing = await Promise.all(asked.map((one) => explainWhere(one, config, client)));
    throw new OperatorError(missing.find((reason) => reason !== undefined) ?? error.message);
  });
  const answer = await finished(client, queryId, host);
  const { status = "Unknown", results = [] } = answer;
  if (status !== "Complete") throw new OperatorError(`The query ended as ${status}.`);
  const rows = results.map((fields) => rowOf(fields));
  if (input.options["json"]) for (const row of rows) host.out.line(jsonLine(Object.fromEntries(row)));
  else printTable(rows, answer, host);
  return exit.ok;
}

function limitOf(input: CommandInput): number | undefined {
  const given = text(input, "limit");
  if (given === undefined) return undefined;
  if (!/^[1-9]\d{0,4}$/.test(given) || Number(given) > 10_000)
    throw new OperatorError("--limit: must be a number from 1 to 10000", exit.usage);
  return Number(given);
}

/** Why there is no such log group; undefined where there is. */
async function explainWhere(
  { name, group }: { readonly name: string; readonly group: string },
  config: ClientConfig,
  client: CloudWatchLogsClient,
): Promise<string | undefined> {
  const { DescribeLogGroupsCommand } = await import("@aws-sdk/client-cloudwatch-logs");
  const { logGroups = [] } = await client.send(new DescribeLogGroupsCommand({ logGroupNamePrefix: group }));
  return logGroups.some(({ logGroupName }) => logGroupName === group)
    ? undefined
    : (await explainMissing(name, group, config)).message;
}

/** The answer once the query has ended. Ctrl-C stops the query: it would go on and be paid for. */
async function finished(
  client: CloudWatchLogsClient,
  queryId: string,
  host: CliHost,
): Promise<GetQueryResultsResponse> {
  const { GetQueryResultsCommand, StopQueryCommand } = await import("@aws-sdk/client-cloudwatch-logs");
  let stopped = false;
  const interrupted = host.untilInterrupted().then(() => (stopped = true));
  for (let wait = FIRST_POLL_MS; ; wait = Math.min(LAST_POLL_MS, wait * 2)) {
    const answer = await client.send(new GetQueryResultsCommand({ queryId }));
    if (answer.status !== "Scheduled" && answer.status !== "Running") return answer;
    await Promise.race([interrupted, new Promise((resolve) => setTimeout(resolve, wait))]);
    if (!stopped) continue;
    await client.send(new StopQueryCommand({ queryId }));
    throw new OperatorError("The query was stopped.");
  }
}

/** `@ptr` is for programs that ask for the whole event. */
export function rowOf(fields: readonly ResultField[]): Row {
  return new Map(
    fields.flatMap(({ field, value }): [string, string][] =>
      field === undefined || field === "@ptr" ? [] : [[field, value ?? ""]],
    ),
  );
}

function printTable(rows: readonly Row[], { statistics }: GetQueryResultsResponse, { out }: CliHost): void {
  if (rows.length === 0) out.line("Nothing was found.");
  else {
    const [head = "", ...lines] = tableOf(rows, out.width);
    out.line(out.bold(head));
    for (const line of lines) out.line(line);
  }
  const { recordsMatched = 0, recordsScanned = 0, bytesScanned = 0 } = statistics ?? {};
  const number = (value: number) => value.toLocaleString("en-US");
  out.line(
    out.dim(
      `${number(rows.length)} ${rows.length === 1 ? "row" : "rows"}; ${number(recordsMatched)} of ${number(recordsScanned)} events match, ${number(bytesScanned)} bytes were read`,
    ),
  );
}

/** A line of names, then one a row. Rows need not have the same fields. @param width of the terminal, where it is one */
export function tableOf(rows: readonly Row[], width: number | undefined): string[] {
  const names = [...new Set(rows.flatMap((row) => [...row.keys()]))];
  const cells = rows.map((row) => names.map((name) => cellOf(row.get(name) ?? "")));
  return table([names.map((name) => printable(name)), ...cells], width);
}

/** A tab would push the columns after it. */
function cellOf(value: string): string {
  return printable(value.trimEnd()).replaceAll("\t", "  ");
}
