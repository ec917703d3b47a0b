import type * as client from "@aws-sdk/client-cloudwatch";
import type { Handler, OperationsOf } from "#wire/operation";
import type { CloudWatchDeps } from "../deps.ts";
import { cloudwatchErrors } from "../errors.ts";
import { drawChart } from "../image/chart.ts";
import { encodePng } from "../image/png.ts";
import { colourOf, readWidget } from "../image/widget.ts";
import { readQueries } from "../query/request.ts";
import { runQueries } from "../query/run.ts";

type CloudWatch = typeof client;

export function widgetImageOperations(deps: CloudWatchDeps) {
  const GetMetricWidgetImage: Handler<CloudWatch, "GetMetricWidgetImage"> = async (input, call) => {
    const { MetricWidget = "", OutputFormat = "png" } = input;
    if (OutputFormat !== "png")
      throw cloudwatchErrors.validation(`The output format ${OutputFormat} is not supported here: png is.`);
    const { metrics, chart } = readWidget(MetricWidget, deps.clock.now());
    const queries = readQueries(
      metrics.map(({ query, visible }) => ({ ...query, ReturnData: visible })),
      "metrics",
    );
    await deps.store.settle();
    const scope = { account: call.account, region: call.region };
    const series = await runQueries(deps, scope, queries, chart, chart.zone);
    const colours = new Map(metrics.map(({ query, colour }) => [query.Id, colour]));
    const canvas = await drawChart({
      ...chart,
      lines: series.map(({ id, label, period, points }, index) => ({
        label,
        period,
        points,
        colour: colourOf(colours.get(id), index),
      })),
    });
    return { MetricWidgetImage: await encodePng(canvas.width, canvas.height, canvas.pixels) };
  };

  return { GetMetricWidgetImage } satisfies OperationsOf<CloudWatch>;
}
