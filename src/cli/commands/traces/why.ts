import type { ClientConfig } from "#config/client";
import { OperatorError } from "#core/errors";
import { cloudwatchClient, logsClient } from "../../aws.ts";
import { type CliHost, type Command, type CommandInput, exit } from "../../command.ts";
import { clientFlags, clientOptions, text } from "../../options.ts";
import { jsonLine, printable } from "../../printable.ts";
import { since } from "../../since.ts";
import { explainMissing } from "../logs/group.ts";
import { type FunctionLimits, limitsOf } from "../requests/limits.ts";
import { type FoundRequest, lastFailure, type Range } from "../requests/search.ts";
import { showAccount } from "./trace.ts";

export const why: Command = {
  name: "why",
  summary: "Tell why a function failed last: error, stack, log, time, memory, cold start, trace",
  arguments: [{ name: "<function>", description: "function name" }],
  options: [
    ...clientOptions,
    { flags: "--since <time>", description: "as 90s, 15m, 2h, 3d or an ISO time (default 1d)" },
    { flags: "--json", description: "one JSON object" },
  ],
  examples: [
    ["what went wrong last", "thaw why process-order"],
    ["the stack alone", "thaw why process-order --json | jq -r '.error.stack[]'"],
  ],
  async run(input, host) {
    const [name = ""] = input.arguments;
    const config = host.loadClientConfig(clientFlags(input));
    const now = Date.now();
    const range = { from: since(text(input, "since") ?? "1d", now), to: now + 60_000 };
    if (range.from >= now) throw new OperatorError("--since: must be a time before now", exit.usage);
    const limits = await limitsOf(name, config);
    const found = await look(limits, range, config);
    if (found === undefined) return nothing(limits, range, config, input, host);
    return showAccount(
      {
        functionName: limits.name,
        timeoutMs: limits.timeoutMs,
        found,
        traceId: found.request.report?.traceId,
        spans: undefined,
      },
      config,
      input,
      host,
    );
  },
};

async function look(
  limits: FunctionLimits,
  range: Range,
  config: ClientConfig,
): Promise<FoundRequest | undefined> {
  const { ResourceNotFoundException } = await import("@aws-sdk/client-cloudwatch-logs");
  try {
    return await lastFailure(await logsClient(config), limits, range);
  } catch (error) {
    if (!(error instanceof ResourceNotFoundException)) throw error;
    const missing = await explainMissing(limits.name, limits.group, config);
    // A function that was never let in has no log either, but metrics.
    if (!missing.comes) throw new OperatorError(missing.message);
    return undefined;
  }
}

/** No request that failed is in the log: what is known of it besides, from metrics. */
async function nothing(
  { name }: FunctionLimits,
  range: Range,
  config: ClientConfig,
  input: CommandInput,
  { out }: CliHost,
): Promise<number> {
  const [errors, throttles] = await Promise.all([
    sum("Errors", name, range, config),
    sum("Throttles", name, range, config),
  ]);
  const since = new Date(range.from).toISOString();
  if (input.options["json"])
    out.line(jsonLine({ function: name, failed: errors + throttles > 0, errors, throttles, since }));
  else if (errors + throttles === 0) out.line(`${printable(name)} has not failed since ${since}.`);
  else {
    const count = (number: number, what: string) => `${number.toLocaleString("en-US")} ${what}`;
    if (throttles > 0)
      out.line(
        `${printable(name)} was ${out.red("throttled")}: ${count(throttles, "invocations")} since ${since} found no concurrency left. See thaw metrics ${printable(name)}, and its reserved concurrency.`,
      );
    if (errors > 0)
      out.line(
        `${printable(name)} ${out.red("failed")}: ${count(errors, "errors")} since ${since}, but its log tells of none. See thaw logs ${printable(name)} and thaw traces ${printable(name)} --errors.`,
      );
  }
  return errors + throttles > 0 ? exit.functionError : exit.ok;
}

async function sum(
  MetricName: string,
  name: string,
  { from, to }: Range,
  config: ClientConfig,
): Promise<number> {
  const { GetMetricStatisticsCommand } = await import("@aws-sdk/client-cloudwatch");
  const client = await cloudwatchClient(config);
  // 1,440 values are answered at most; a period is whole minutes.
  const Period = 60 * Math.max(1, Math.ceil((to - from) / 60_000 / 1440));
  const { Datapoints = [] } = await client.send(
    new GetMetricStatisticsCommand({
      Namespace: "AWS/Lambda",
      MetricName,
      Dimensions: [{ Name: "FunctionName", Value: name }],
      StartTime: new Date(from),
      EndTime: new Date(to),
      Period,
      Statistics: ["Sum"],
    }),
  );
  return Datapoints.reduce((total, { Sum = 0 }) => total + Sum, 0);
}
