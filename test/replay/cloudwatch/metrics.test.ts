import type { MetricDatum, StandardUnit } from "@aws-sdk/client-cloudwatch";
import { beforeEach, describe, expect, test } from "vitest";
import { createCloudWatchFixture, type CloudWatchFixture } from "../../support/cloudwatch-service.ts";
import { withStorage } from "../../support/storage.ts";
import { Recording } from "./recording.ts";

const storage = withStorage();
const MINUTE = 60_000;
let cloudwatch: CloudWatchFixture;
let now: number;

beforeEach(() => {
  cloudwatch = createCloudWatchFixture(storage());
  now = cloudwatch.clock.now();
});

const replay = (scenario: string) => new Recording("metrics", scenario);
const put = (MetricData: MetricDatum[], Namespace = "test") =>
  cloudwatch.call("PutMetricData", { Namespace, MetricData });

interface Query {
  readonly id: string;
  readonly name: string;
  readonly stat: string;
  readonly period?: number;
  readonly unit?: StandardUnit;
  readonly dimensions?: { Name: string; Value: string }[];
}

const data = (queries: Query[]) =>
  cloudwatch.call("GetMetricData", {
    StartTime: new Date(now - MINUTE),
    EndTime: new Date(now + MINUTE),
    MetricDataQueries: queries.map(({ id, name, stat, period = 60, unit, dimensions }) => ({
      Id: id,
      MetricStat: {
        Metric: { Namespace: "test", MetricName: name, Dimensions: dimensions },
        Period: period,
        Stat: stat,
        Unit: unit,
      },
    })),
  });

const statistics = (
  name: string,
  Statistics: ("Sum" | "Average" | "Minimum" | "Maximum" | "SampleCount")[],
) =>
  cloudwatch.call("GetMetricStatistics", {
    Namespace: "test",
    MetricName: name,
    StartTime: new Date(now - MINUTE),
    EndTime: new Date(now + MINUTE),
    Period: 60,
    Statistics,
  });

const SET = { SampleCount: 10, Sum: 55, Minimum: 1, Maximum: 10 };

describe("GetMetricData", () => {
  test("test_get_metric_data_for_multiple_metrics", async () => {
    await put([
      { MetricName: "metric1", Value: 50, Unit: "Seconds" },
      { MetricName: "metric2", Value: 25, Unit: "Seconds" },
      { MetricName: "metric3", StatisticValues: SET, Unit: "Seconds" },
    ]);
    const queries = [1, 2, 3].map((n) => ({ id: `result${n}`, name: `metric${n}`, stat: "Sum" }));
    await replay("test_get_metric_data_for_multiple_metrics").expect("get_metric_data", data(queries));
  });

  test.each(["Minimum", "Maximum", "SampleCount", "Sum"])("test_get_metric_data_stats[%s]", async (stat) => {
    await put([
      { MetricName: "metric1", Value: 11, Unit: "Seconds" },
      { MetricName: "metric1", StatisticValues: SET, Unit: "Seconds" },
    ]);
    const outcome = data([{ id: "result1", name: "metric1", stat }]);
    await replay(`test_get_metric_data_stats[${stat}]`).expect("get_metric_data", outcome);
  });

  test("test_get_metric_data_with_dimensions", async () => {
    const one = [{ Name: "InstanceId", Value: "one" }];
    await put([
      { MetricName: "metric1", Value: 11, Unit: "Seconds", Dimensions: one },
      {
        MetricName: "metric1",
        Value: 11,
        Unit: "Seconds",
        Dimensions: [{ Name: "InstanceId", Value: "two" }],
      },
      { MetricName: "metric1", StatisticValues: SET, Unit: "Seconds" },
    ]);
    const outcome = data([{ id: "result1", name: "metric1", stat: "Sum", dimensions: one }]);
    await replay("test_get_metric_data_with_dimensions").expect("get_metric_data", outcome);
  });

  test("test_get_metric_data_with_different_units", async () => {
    await put([
      { MetricName: "m-test", Value: 1, Unit: "Seconds" },
      { MetricName: "m-test", Value: 1, Unit: "Count" },
    ]);
    const outcome = data([{ id: "m1", name: "m-test", stat: "Sum", unit: "Seconds" }]);
    await replay("test_get_metric_data_with_different_units").expect(
      "get_metric_data_with_different_units",
      outcome,
    );
  });

  const BASE: MetricDatum[] = [
    { MetricName: "m-test", Value: 60_000, Unit: "Milliseconds" },
    { MetricName: "m-test", Value: 60, Unit: "Seconds" },
  ];
  test.each([
    [0, BASE],
    [1, [...BASE, ...BASE]],
    [2, [...BASE, ...BASE, { MetricName: "m-test", Value: 5, Unit: "Count" }]],
  ] as [number, MetricDatum[]][])(
    "test_get_metric_data_different_units_no_unit_in_query[metric_data%d]",
    async (index, values) => {
      await put(values);
      await replay(`test_get_metric_data_different_units_no_unit_in_query[metric_data${index}]`).expect(
        "get_metric_data_with_no_unit_specified",
        data([{ id: "m1", name: "m-test", stat: "Sum" }]),
      );
    },
  );

  test("test_get_metric_data_with_zero_and_labels", async () => {
    await put([0, 0.5, 2, 7, 7, 100].map((Value) => ({ MetricName: "metric1", Value })));
    const queries = ["Average", "Sum", "Minimum", "Maximum"].map((stat) => ({
      id: `result_${stat}`,
      name: "metric1",
      stat,
    }));
    await replay("test_get_metric_data_with_zero_and_labels").expect(
      "get_metric_data_with_zero_and_labels",
      data(queries),
    );
  });

  test.each([
    [0, "Minimum", 30, "Seconds"],
    [1, "Minimum", 60, "Seconds"],
    [2, "Sum", 30, "Seconds"],
    [3, "Minimum", 30, "Milliseconds"],
    [4, "Minimum", 60, "Milliseconds"],
    [5, "Sum", 30, "Milliseconds"],
    [6, "Sum", 60, "Milliseconds"],
  ] as const)("test_label_generation[input_pairs%d]", async (index, stat, period, unit) => {
    await put([0, 2, 7, 100].map((Value) => ({ MetricName: "metric1", Value, Unit: "Seconds" })));
    const queries = [
      { stat: "Sum", period: 60, unit: "Seconds" as const },
      { stat, period, unit },
    ].map((query) => ({
      ...query,
      id: `result_${query.stat}_${query.period}_${query.unit}`,
      name: "metric1",
    }));
    await replay(`test_label_generation[input_pairs${index}]`).expect("label_generation", data(queries));
  });

  test("test_get_metric_with_no_results", async () => {
    const outcome = data([{ id: "result", name: "none", stat: "Sum" }]);
    await replay("test_get_metric_with_no_results").expect("result", outcome);
  });
});

describe("GetMetricStatistics", () => {
  test("test_get_metric_statistics", async () => {
    await put(Array.from({ length: 10 }, (_, Value) => ({ MetricName: "metric", Value })));
    await replay("test_get_metric_statistics").expect(
      "get_metric_statistics",
      statistics("metric", ["Average", "Sum", "Minimum", "Maximum", "SampleCount"]),
    );
  });

  test("test_put_metric_data_values_list", async () => {
    await put([{ MetricName: "test-metric", Values: [1, 10], Counts: [2, 4], Unit: "Count" }]);
    await replay("test_put_metric_data_values_list").expect(
      "get_metric_statistics",
      statistics("test-metric", ["Maximum", "SampleCount", "Sum"]),
    );
  });

  test("test_handle_different_units", async () => {
    await put([
      { MetricName: "m-test", Value: 1, Unit: "Seconds" },
      { MetricName: "m-test", Value: 5, Unit: "Count" },
      { MetricName: "m-test", Value: 10 },
    ]);
    const recording = replay("test_handle_different_units");
    await recording.expect("get_metric_statistics_with_different_units", statistics("m-test", ["Average"]));
  });

  test("test_invalid_amount_of_datapoints", async () => {
    const recording = replay("test_invalid_amount_of_datapoints");
    const query = (start: number, end: number, Period = 1) =>
      cloudwatch.call("GetMetricStatistics", {
        Namespace: "test",
        MetricName: "metric_name",
        StartTime: new Date(start),
        EndTime: new Date(end),
        Period,
        Statistics: ["SampleCount"],
      });
    const day = 86_400_000;
    await recording.expect("error-invalid-amount-datapoints", query(now, now + day));
    await recording.expect("error-invalid-time-frame", query(now, now));
    await recording.expect("get-metric-statitics", query(now, now + day, 60));
  });
});

describe("PutMetricData", () => {
  test("test_put_metric_data_validation", async () => {
    const recording = replay("test_put_metric_data_validation");
    const datum = { MetricName: "m", Unit: "Seconds" } as const;
    await recording.expect("invalid-param-combination", put([{ ...datum, Value: 1, Values: [1] }]));
    await recording.expect(
      "invalid-param-combination-2",
      put([{ ...datum, Value: 1, StatisticValues: SET }]),
    );
    await recording.expect("invalid-param-value", put([{ ...datum, Values: [1, 2], Counts: [1] }]));
    expect(await cloudwatch.call("ListMetrics", {})).toEqual({ Metrics: [] });
  });

  test("test_multiple_dimensions_statistics", async () => {
    const dimensions = {
      error: "none",
      exception: "none",
      method: "GET",
      outcome: "SUCCESS",
      status: "200",
      uri: "/greetings",
    };
    const Dimensions = Object.entries(dimensions).map(([Name, Value]) => ({ Name, Value }));
    const datum = { MetricName: "http.server.requests.count", Unit: "Count" } as const;
    await put([
      { ...datum, Value: 0, Dimensions },
      { ...datum, Value: 5, Dimensions: Dimensions.toReversed() },
    ]);
    const recording = replay("test_multiple_dimensions_statistics");
    await recording.expect(
      "get-metric-stats-max",
      data([
        { id: "result1", name: datum.MetricName, stat: "Maximum", unit: "Count", dimensions: Dimensions },
      ]),
    );
    await recording.expect("list-metrics", cloudwatch.call("ListMetrics", { MetricName: datum.MetricName }));
  });
});
