import type * as client from "@aws-sdk/client-cloudwatch";
import type { Summary } from "#telemetry/summary";
import type { Handler, InputOf, OperationsOf } from "#wire/operation";
import type { CloudWatchDeps } from "../deps.ts";
import { SECOND } from "../data/layers.ts";
import { metricOf } from "../data/metric.ts";
import { cloudwatchErrors } from "../errors.ts";
import { LIMITS } from "../limits.ts";
import { alignedStart, isPeriod } from "../statistics/align.ts";
import { evaluate } from "../statistics/evaluate.ts";
import { isSimple, parseStatistic, type Statistic } from "../statistics/statistic.ts";

type CloudWatch = typeof client;

export function metricStatisticsOperations({ store, reader, clock }: CloudWatchDeps) {
  const GetMetricStatistics: Handler<CloudWatch, "GetMetricStatistics"> = async (input, call) => {
    const { span, statistics, extended } = readQuery(input, clock.now());
    await store.settle();
    const metric = metricOf(input.Namespace ?? "", input.MetricName ?? "", input.Dimensions);
    const units = input.Unit === undefined ? reader.units(call, metric) : [input.Unit];
    const shallow = [...statistics, ...extended].every(({ statistic }) => isSimple(statistic));
    const datapoints: client.Datapoint[] = [];
    // Recorded: each unit has datapoints of its own; values without one come first.
    for (const unit of units.toSorted((a, b) => Number(b === "None") - Number(a === "None")))
      for (const [time, summary] of await reader.read(call, metric, unit, span, clock.now(), shallow)) {
        const figures = figuresOf(summary, statistics);
        const percentiles = figuresOf(summary, extended);
        if (Object.keys(figures).length + Object.keys(percentiles).length === 0) continue;
        datapoints.push({
          Timestamp: new Date(time),
          ...figures,
          ...(extended.length > 0 ? { ExtendedStatistics: percentiles } : {}),
          Unit: unit as client.StandardUnit,
        });
      }
    return { Label: metric.name, Datapoints: datapoints };
  };

  return { GetMetricStatistics } satisfies OperationsOf<CloudWatch>;
}

interface Named {
  readonly name: string;
  readonly statistic: Statistic;
}

function readQuery(input: InputOf<CloudWatch, "GetMetricStatistics">, now: number) {
  const { Period = 0, Statistics = [], ExtendedStatistics = [] } = input;
  const [start, end] = [input.StartTime?.getTime() ?? 0, input.EndTime?.getTime() ?? 0];
  if (Statistics.length === 0 && ExtendedStatistics.length === 0) throw cloudwatchErrors.noStatistic();
  if (!isPeriod(Period))
    throw cloudwatchErrors.value("The parameter Period must be 1, 5, 10, 20, 30 or a multiple of 60.");
  if (start >= end) throw cloudwatchErrors.badSpan();
  const count = Math.ceil((end - start) / (Period * SECOND));
  if (count > LIMITS.statisticsDatapoints)
    throw cloudwatchErrors.tooManyDatapoints(count, LIMITS.statisticsDatapoints);
  const period = Period * SECOND;
  const read = (name: string, parameter: string): Named => {
    const statistic = parseStatistic(name);
    if (statistic === undefined) throw cloudwatchErrors.invalid(parameter, name);
    return { name, statistic };
  };
  return {
    span: { from: alignedStart(start, period, now), to: end, period },
    statistics: Statistics.map((name) => read(name, "Statistics")),
    extended: ExtendedStatistics.map((name, index) => read(name, `ExtendedStatistics.member.${index + 1}`)),
  };
}

function figuresOf(summary: Summary, statistics: readonly Named[]): Record<string, number> {
  const figures: Record<string, number> = {};
  for (const { name, statistic } of statistics) {
    const figure = evaluate(summary, statistic);
    if (figure !== undefined) figures[name] = figure;
  }
  return figures;
}
