import type { MetricDataQuery } from "@aws-sdk/client-cloudwatch";
import { beforeEach, describe, expect, it } from "vitest";
import {
  createCloudWatchFixture,
  datum,
  metricData,
  type CloudWatchFixture,
} from "../../../../test/support/cloudwatch-service.ts";
import { errorOf } from "../../../../test/support/lambda-service.ts";
import { withStorage } from "../../../../test/support/storage.ts";

const storage = withStorage();
const MINUTE = 60_000;
let cloudwatch: CloudWatchFixture;
let start: number;

/** `a` is 1, 2, -, 4 and `b` 10, -, 30, 40, minute by minute; - is missing. */
beforeEach(async () => {
  cloudwatch = createCloudWatchFixture(storage());
  start = cloudwatch.clock.now();
  cloudwatch.clock.advance(4 * MINUTE);
  const values: readonly (readonly [string, number, number])[] = [
    ["a", 0, 1],
    ["a", 1, 2],
    ["a", 3, 4],
    ["b", 0, 10],
    ["b", 2, 30],
    ["b", 3, 40],
  ];
  await cloudwatch.call("PutMetricData", {
    Namespace: "App",
    MetricData: values.map(([name, minute, value]) =>
      datum(name, value, start + minute * MINUTE, { Service: `service-${name}` }),
    ),
  });
});

function stat(name: string, of: Partial<MetricDataQuery> = {}): MetricDataQuery {
  const Metric = {
    Namespace: "App",
    MetricName: name,
    Dimensions: [{ Name: "Service", Value: `service-${name}` }],
  };
  return { Id: name, MetricStat: { Metric, Period: 60, Stat: "Sum" }, ReturnData: false, ...of };
}

const data = (queries: MetricDataQuery[]) => metricData(cloudwatch, start, 4, queries);

/** The values of an expression over `a` and `b`, `-` where there is none; one text a series. */
async function values(Expression: string): Promise<string[]> {
  const results = await data([stat("a"), stat("b"), { Id: "e", Expression }]);
  return results.map(({ Timestamps = [], Values = [] }) => {
    const at = new Map(Timestamps.map((time, index) => [time.getTime(), Values[index]]));
    return [0, 1, 2, 3].map((minute) => at.get(start + minute * MINUTE) ?? "-").join(" ");
  });
}

describe("metric math over metrics", () => {
  it.each([
    ["a + b", ["11 - - 44"]],
    ["a * 2", ["2 4 - 8"]],
    ["100 / a", ["100 50 - 25"]],
    ["a / 0", ["- - - -"]],
    ["-a ^ 2", ["-1 -4 - -16"]],
    ["a > 1", ["0 1 - 1"]],
    ["a > 1 && a < 4", ["0 1 - 0"]],
    ["SUM([a, b])", ["11 2 30 44"]],
    ["SUM(METRICS())", ["11 2 30 44"]],
    ["AVG([a, b])", ["5.5 2 30 22"]],
    ["MIN(METRICS())", ["1 2 30 4"]],
    ["MAX(METRICS('a'))", ["1 2 - 4"]],
    ["a / MAX(a)", ["0.25 0.5 - 1"]],
    ["METRICS() / 2", ["0.5 1 - 2", "5 - 15 20"]],
    ["FILL(a, 0)", ["1 2 0 4"]],
    ["FILL(a, REPEAT)", ["1 2 2 4"]],
    ["FILL(a, LINEAR)", ["1 2 3 4"]],
    ["FILL(a, b)", ["1 2 30 4"]],
    ["FILL(METRICS(), 0)", ["1 2 0 4", "10 0 30 40"]],
    ["RATE(a) * 60", ["- 1 - 1"]],
    ["DIFF(a)", ["- 1 - 2"]],
    ["DIFF_TIME(a)", ["- 60 - 120"]],
    ["RUNNING_SUM(a)", ["1 3 - 7"]],
    ["IF(a > 1, a, 0)", ["0 2 - 4"]],
    ["IF(FILL(a, 0), b, 7)", ["10 - 7 40"]],
    ["IF(1, a, b)", ["1 2 - 4"]],
    ["TIME_SERIES(5)", ["5 5 5 5"]],
    ["TIME_SERIES(METRIC_COUNT(METRICS()))", ["2 2 2 2"]],
    ["TIME_SERIES(DATAPOINT_COUNT(a))", ["3 3 3 3"]],
    ["TIME_SERIES(PERIOD(a))", ["60 60 60 60"]],
    ["DATAPOINT_COUNT(METRICS())", ["2 1 1 2"]],
    ["STDDEV([a, b])", ["4.5 0 0 18"]],
    ["MINUTE(a)", ["0 1 - 3"]],
    ["SORT(METRICS(), SUM, DESC)", ["10 - 30 40", "1 2 - 4"]],
    ["SORT(METRICS(), AVG, ASC, 1)", ["1 2 - 4"]],
    ["SLICE(SORT(METRICS(), MAX, DESC), 1)", ["1 2 - 4"]],
    ["FIRST(METRICS())", ["1 2 - 4"]],
    ["LAST(METRICS())", ["10 - 30 40"]],
    ["REMOVE_EMPTY([a, a / 0])", ["1 2 - 4"]],
    ["ABS(0 - a)", ["1 2 - 4"]],
    ["CEIL(a / 4)", ["1 1 - 1"]],
    ["FLOOR(a / 4)", ["0 0 - 1"]],
    ["LOG10(b)", ["1 - 1.4771212547196624 1.6020599913279625"]],
    [`SEARCH('{App,Service} MetricName="a"', 'Sum', 60)`, ["1 2 - 4"]],
    [`SUM(SEARCH('{App,Service}', 'Sum', 60))`, ["11 2 30 44"]],
    [`SEARCH('Service="service-b"', 'Maximum')`, ["10 - 30 40"]],
  ])("%s", async (expression, expected) => {
    expect(await values(expression)).toEqual(expected);
  });

  it.each([
    ["a +", "Error in expression 'e': The expression ends too early"],
    ["nope * 2", "Error in expression 'e': Undefined id: nope"],
    ["NOPE(a)", "Error in expression 'e': Unknown function NOPE"],
    ["e + 1", "Error in expression 'e': The expression refers to itself by way of e"],
    [
      "SUM(a)",
      "Error in expression 'e': The expression does not come to a time series: TIME_SERIES makes one of a number",
    ],
    [
      "METRICS() + METRICS()",
      "Error in expression 'e': The operator + cannot be used between two arrays of time series",
    ],
    [
      "ANOMALY_DETECTION_BAND(a)",
      "Error in expression 'e': The function ANOMALY_DETECTION_BAND is not supported here",
    ],
    [
      "SELECT MEAN(x) FROM App",
      "Error in expression 'e': The Metrics Insights query cannot be read at position 8: expected AVG, COUNT, MAX, MIN or SUM",
    ],
    ["FILL(a)", "Error in expression 'e': The function FILL takes 2 arguments"],
  ])("refuses %s", async (expression, message) => {
    expect(await errorOf(values(expression))).toMatchObject({ code: "ValidationException", message });
  });

  it("fills in dynamic labels", async () => {
    const label = (Label: string) => stat("a", { Label, ReturnData: true });
    const [result] = await data([
      label(
        "${PROP('Dim.Service')} ${PROP('MetricName')} ${MAX} ${MIN} ${AVG} ${SUM} ${LAST} ${FIRST} ${LABEL} ${MAX_TIME} ${NOPE}",
      ),
    ]);
    expect(result?.Label).toBe("service-a a 4 1 2.33333 7 4 1 a 2026-01-01T00:03:00 ${NOPE}");
  });

  it("pages through datapoints, the newest first unless asked otherwise", async () => {
    const input = {
      MetricDataQueries: [stat("a", { ReturnData: true }), stat("b", { ReturnData: true })],
      StartTime: new Date(start),
      EndTime: new Date(start + 4 * MINUTE),
      MaxDatapoints: 4,
    };
    const first = await cloudwatch.call("GetMetricData", input);
    expect(first.MetricDataResults?.map(({ Values, StatusCode }) => [Values, StatusCode])).toEqual([
      [[4, 2, 1], "Complete"],
      [[40], "PartialData"],
    ]);
    const second = await cloudwatch.call("GetMetricData", { ...input, NextToken: first.NextToken });
    expect(second.MetricDataResults?.map(({ Id, Values, StatusCode }) => [Id, Values, StatusCode])).toEqual([
      ["b", [30, 10], "Complete"],
    ]);
    expect(second.NextToken).toBeUndefined();
  });
});
