import type * as client from "@aws-sdk/client-cloudwatch";
import type { Handler, InputOf, OperationsOf } from "#wire/operation";
import type { CloudWatchDeps } from "../deps.ts";
import { cloudwatchErrors } from "../errors.ts";
import { LIMITS } from "../limits.ts";
import { readQueries } from "../query/request.ts";
import { runQueries } from "../query/run.ts";
import type { TimeSeries } from "../query/series.ts";
import { readToken, writeToken } from "../tokens.ts";

type CloudWatch = typeof client;

export function metricDataOperations(deps: CloudWatchDeps) {
  const GetMetricData: Handler<CloudWatch, "GetMetricData"> = async (input, call) => {
    const range = { start: input.StartTime?.getTime() ?? 0, end: input.EndTime?.getTime() ?? 0 };
    if (range.start >= range.end) throw cloudwatchErrors.badSpan();
    const queries = readQueries(input.MetricDataQueries ?? [], "MetricDataQueries");
    const limit = input.MaxDatapoints ?? LIMITS.metricDataDatapoints;
    if (limit < 1 || limit > LIMITS.metricDataDatapoints)
      throw cloudwatchErrors.validation(
        `MaxDatapoints must be between 1 and ${LIMITS.metricDataDatapoints}.`,
      );
    const skip = input.NextToken === undefined ? 0 : readToken(input.NextToken, ["number"])[0];
    const zone = readZone(input.LabelOptions?.Timezone);
    await deps.store.settle();
    const scope = { account: call.account, region: call.region };
    const results = await runQueries(deps, scope, queries, range, zone);
    return page(results, input, skip, limit);
  };

  return { GetMetricData } satisfies OperationsOf<CloudWatch>;
}

/** Results one after another, `limit` datapoints after the first `skip` of them. */
function page(
  results: readonly TimeSeries[],
  input: InputOf<CloudWatch, "GetMetricData">,
  skip: number,
  limit: number,
) {
  const ascending = input.ScanBy === "TimestampAscending";
  const shown: client.MetricDataResult[] = [];
  let [before, left] = [0, limit];
  for (const { id, label, points, messages } of results) {
    const entries = ascending ? [...points] : [...points].toReversed();
    const from = Math.max(0, skip - before);
    before += entries.length;
    // On later pages, what was complete on an earlier one is left out.
    if (skip > 0 && from >= entries.length) continue;
    const some = entries.slice(from, from + left);
    left -= some.length;
    shown.push({
      Id: id,
      Label: label,
      Timestamps: some.map(([time]) => new Date(time)),
      Values: some.map(([, value]) => value),
      StatusCode: from + some.length < entries.length ? "PartialData" : "Complete",
      ...(messages === undefined
        ? {}
        : { Messages: messages.map(({ code, value }) => ({ Code: code, Value: value })) }),
    });
    if (left === 0) break;
  }
  const total = results.reduce((sum, { points }) => sum + points.size, 0);
  const more = total > skip + limit;
  return {
    MetricDataResults: shown,
    ...(more ? { NextToken: writeToken([skip + limit]) } : {}),
    Messages: [],
  };
}

/** `+0130` in minutes. */
function readZone(zone: string | undefined): number {
  if (zone === undefined) return 0;
  const [, sign, hours, minutes] = /^([+-])(\d\d)(\d\d)$/.exec(zone) ?? [];
  if (sign === undefined || Number(minutes) > 59 || Number(hours) > 14)
    throw cloudwatchErrors.validation(`The value ${zone} for parameter LabelOptions.Timezone is invalid.`);
  return (Number(hours) * 60 + Number(minutes)) * (sign === "-" ? -1 : 1);
}
