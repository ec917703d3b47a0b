import type { ClientConfig } from "#config/client";
import { OperatorError } from "#core/errors";
import { logsClient, xrayClient } from "../../aws.ts";
import { type CliHost, type Command, type CommandInput, exit } from "../../command.ts";
import { duration } from "../../duration.ts";
import { clientFlags, clientOptions, text } from "../../options.ts";
import { jsonLine, printable } from "../../printable.ts";
import { type Account, accountJson, tell } from "../requests/account.ts";
import { type FunctionLimits, limitsOf } from "../requests/limits.ts";
import { findRequest, functionGroups, type Range } from "../requests/search.ts";
import { since } from "../../since.ts";
import { hasFailed, readTrace, requestsOf, traceIdIn } from "./read.ts";
import type { Span } from "./spans.ts";
import { waterfall } from "./waterfall.ts";

/** Requests of one trace that are told in full, those that failed first. */
const TOLD = 3;

export const trace: Command = {
  name: "trace",
  summary: "Show a trace or a request: waterfall, errors, log, time and memory against their limits",
  arguments: [{ name: "<id>", description: "of a trace (1-…), or of a request" }],
  options: [
    ...clientOptions,
    {
      flags: "--function <name>",
      description: "whose request it is: without it, the logs of all are searched",
    },
    { flags: "--since <time>", description: "for requests: how far back to search their logs (default 1d)" },
    { flags: "--json", description: "one JSON object" },
  ],
  examples: [
    ["a trace that thaw traces listed", "thaw trace 1-6650d2a5-5f1b2c3d4e5f60718293a4b5"],
    [
      "a request by the id that its log has",
      "thaw trace 66ffbfb0-ab81-4cb6-bb08-cc5eb1c96be2 --function process-order",
    ],
  ],
  async run(input, host) {
    const [id = ""] = input.arguments;
    const config = host.loadClientConfig(clientFlags(input));
    const traceId = traceIdIn(id);
    if (traceId !== undefined) return showTrace(traceId, config, input, host);
    if (!/^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(id))
      throw new OperatorError("trace: name a trace (1-…) or a request by its id", exit.usage);
    return showRequest(id.toLowerCase(), config, input, host);
  },
};

async function showTrace(
  traceId: string,
  config: ClientConfig,
  input: CommandInput,
  { out }: CliHost,
): Promise<number> {
  const spans = await readTrace(await xrayClient(config), traceId);
  if (spans === undefined)
    throw new OperatorError(
      `There is no trace ${traceId} in ${config.region} at ${config.endpoint}. Traces come some seconds after their requests and are kept for 30 days.`,
    );
  const accounts = await accountsOf(spans, config);
  const failed = hasFailed(spans);
  if (input.options["json"])
    out.line(jsonLine({ traceId, failed, spans, requests: accounts.map((each) => accountJson(each)) }));
  else {
    const [first] = spans;
    const start = new Date(first?.start ?? 0).toISOString();
    const end = Math.max(...spans.map((span) => span.end ?? span.start));
    const took = duration(Math.max(0, end - (first?.start ?? 0)));
    out.line(`${out.bold(`Trace ${traceId}`)} ${out.dim(`${start}, ${took}`)}`);
    for (const line of waterfall(spans, out)) out.line(line);
    for (const account of accounts) {
      out.line();
      for (const line of tell(account, out)) out.line(line);
    }
    const others = requestsOf(spans).slice(TOLD);
    if (others.length > 0) out.line(out.dim(`… and ${others.length} more requests`));
  }
  return failed ? exit.functionError : exit.ok;
}

async function accountsOf(spans: readonly Span[], config: ClientConfig): Promise<readonly Account[]> {
  const requests = requestsOf(spans);
  const wanted = requests
    .toSorted((a, b) => Number(hasFailed([b.span])) - Number(hasFailed([a.span])))
    .slice(0, TOLD);
  const accounts = await Promise.all(
    wanted.map(({ requestId, functionArn, span }) => {
      const range = { from: span.start - 60_000, to: (span.end ?? Date.now()) + 60_000 };
      return accountOf(requestId, range, config, printable(functionArn).split(":")[6]);
    }),
  );
  return accounts.filter((account) => account !== undefined);
}

/** All about a request but its spans; undefined where no log tells of it. @param name of its function, where it is known */
async function accountOf(
  requestId: string,
  range: Range,
  config: ClientConfig,
  name: string | undefined,
): Promise<Account | undefined> {
  const client = await logsClient(config);
  const known: FunctionLimits | undefined = name === undefined ? undefined : await limitsOf(name, config);
  const groups = known === undefined ? functionGroups(client) : [known.group];
  const found = await findRequest(client, groups, requestId, range);
  if (found === undefined) return undefined;
  const limits = known ?? (await limitsOf(found.group.replace(/^\/aws\/lambda\//, ""), config));
  return {
    functionName: limits.name,
    timeoutMs: limits.timeoutMs,
    found,
    traceId: found.request.report?.traceId,
    spans: undefined,
  };
}

async function showRequest(
  requestId: string,
  config: ClientConfig,
  input: CommandInput,
  host: CliHost,
): Promise<number> {
  const now = Date.now();
  const range = { from: since(text(input, "since") ?? "1d", now), to: now + 60_000 };
  const name = text(input, "function");
  const account = await accountOf(requestId, range, config, name);
  if (account === undefined)
    throw new OperatorError(
      `No log of ${name ?? "any function"} in ${config.region} at ${config.endpoint} tells of request ${requestId} since ${new Date(range.from).toISOString()}.`,
    );
  return showAccount(account, config, input, host);
}

/** Tells of a request, with its trace where it has one. */
export async function showAccount(
  account: Account,
  config: ClientConfig,
  input: CommandInput,
  { out }: CliHost,
): Promise<number> {
  const { traceId, found } = account;
  const spans = traceId === undefined ? undefined : await readTrace(await xrayClient(config), traceId);
  if (input.options["json"]) out.line(jsonLine({ ...accountJson(account), spans }));
  else for (const line of tell({ ...account, spans }, out)) out.line(line);
  return found.request.failure === undefined ? exit.ok : exit.functionError;
}
