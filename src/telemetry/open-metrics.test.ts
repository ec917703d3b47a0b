import { expect, it } from "vitest";
import { MetricTotals, writeOpenMetrics } from "./open-metrics.ts";

const scope = { account: "111111111111", region: "us-east-1", namespace: "AWS/Lambda" };

it("writes what metrics have come to in OpenMetrics' format", () => {
  const totals = new MetricTotals();
  const duration = {
    ...scope,
    name: "Duration",
    unit: "Milliseconds",
    dimensions: { FunctionName: 'a"b\\c' },
  };
  totals.add(duration, { count: 2, sum: 7.5 });
  totals.add({ ...duration }, { count: 1, sum: 1 });
  totals.add({ ...scope, name: "UrlRequestCount", unit: "Count", dimensions: {} }, { count: 3, sum: 3 });
  const gauge = { name: "thaw_environments", type: "gauge", help: "How many\nthere are" } as const;
  const text = writeOpenMetrics([
    ...totals.families(),
    { ...gauge, samples: [{ suffix: "", labels: {}, value: 4 }] },
  ]);
  expect(text).toBe(
    String.raw`# TYPE aws_lambda_duration_milliseconds summary
aws_lambda_duration_milliseconds_count{account="111111111111",region="us-east-1",function_name="a\"b\\c"} 3
aws_lambda_duration_milliseconds_sum{account="111111111111",region="us-east-1",function_name="a\"b\\c"} 8.5
# TYPE aws_lambda_url_request_count summary
aws_lambda_url_request_count_count{account="111111111111",region="us-east-1"} 3
aws_lambda_url_request_count_sum{account="111111111111",region="us-east-1"} 3
# TYPE thaw_environments gauge
# HELP thaw_environments How many\nthere are
thaw_environments 4
# EOF
`,
  );
});

it("keeps no more series than it was told", () => {
  const totals = new MetricTotals(2);
  for (const name of ["A", "B", "C"])
    totals.add({ ...scope, name, unit: "Count", dimensions: {} }, { count: 1, sum: 1 });
  expect(totals.families().map(({ name }) => name)).toEqual(["aws_lambda_b", "aws_lambda_c"]);
});
