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

it("forgets functions that are gone, and no others", () => {
  const totals = new MetricTotals();
  const add = (dimensions: Record<string, string>, region = scope.region) =>
    totals.add({ ...scope, region, name: "Errors", unit: "Count", dimensions }, { count: 1, sum: 1 });
  for (const name of ["gone", "stays"]) {
    add({ FunctionName: name });
    add({ Resource: `${name}:live`, FunctionName: name, ExecutedVersion: "1" });
  }
  add({ FunctionName: "gone" }, "eu-west-1");
  add({ QueueName: "gone" });
  add({ LogGroupName: "/aws/lambda/gone" });
  add({ LogGroupName: "/aws/lambda/stays" });
  totals.forget(new Set(["arn:aws:lambda:us-east-1:111111111111:function:gone"]));
  const samples = totals.families().flatMap((family) => family.samples);
  expect(samples.filter(({ suffix }) => suffix === "_count").map(({ labels }) => labels)).toEqual([
    expect.objectContaining({ function_name: "stays" }),
    expect.objectContaining({ function_name: "stays", resource: "stays:live", executed_version: "1" }),
    expect.objectContaining({ function_name: "gone", region: "eu-west-1" }),
    expect.objectContaining({ queue_name: "gone" }),
    expect.objectContaining({ log_group_name: "/aws/lambda/stays" }),
  ]);
});
