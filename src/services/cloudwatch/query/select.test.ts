import { beforeEach, expect, it } from "vitest";
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

beforeEach(async () => {
  cloudwatch = createCloudWatchFixture(storage());
  start = cloudwatch.clock.now();
  cloudwatch.clock.advance(2 * MINUTE);
  const put = (dimensions: Record<string, string>, ...values: readonly number[]) =>
    values.map((value, minute) => datum("Errors", value, start + minute * MINUTE, dimensions));
  await cloudwatch.call("PutMetricData", {
    Namespace: "My/App",
    MetricData: [
      ...put({ Function: "a", Stage: "prod" }, 1, 2),
      ...put({ Function: "b", Stage: "prod" }, 10, 20),
      ...put({ Function: "c", Stage: "dev" }, 100),
      ...put({ Function: "d" }, 1000),
      ...put({}, 5000),
      datum("Other", 7, start, { Function: "a", Stage: "prod" }),
    ],
  });
});

async function ask(Expression: string, ...more: readonly { Id: string; Expression: string }[]) {
  const results = await metricData(cloudwatch, start, 2, [
    { Id: "q", Expression, Period: 60, ReturnData: more.length === 0 },
    ...more.map((query) => ({ ...query, Period: 60 })),
  ]);
  return results.map(({ Label, Values = [] }) => [Label, ...Values]);
}

it("keeps groups apart whose labels read alike", async () => {
  const put = (First: string, Second: string, value: number) =>
    datum("Errors", value, start, { First, Second });
  const MetricData = [put("a b", "c", 1), put("a", "b c", 2)];
  await cloudwatch.call("PutMetricData", { Namespace: "My/App", MetricData });
  expect(await ask('SELECT SUM(Errors) FROM "My/App" GROUP BY First, Second ORDER BY SUM()')).toEqual([
    ["a b c", 1],
    ["a b c", 2],
  ]);
});

it.each([
  ['SELECT SUM(Errors) FROM "My/App"', [["q", 6111, 22]]],
  ['SELECT SUM(Errors) FROM SCHEMA("My/App", Stage, Function)', [["q", 111, 22]]],
  ['SELECT SUM(Errors) FROM SCHEMA("My/App")', [["q", 5000]]],
  ["select max(Errors) from \"My/App\" where Stage = 'prod'", [["q", 10, 20]]],
  ["SELECT AVG(Errors) FROM \"My/App\" WHERE Stage != 'prod'", [["q", 100]]],
  ["SELECT COUNT(Errors) FROM \"My/App\" WHERE Stage = 'prod' AND \"Function\" != 'a'", [["q", 1, 1]]],
  [
    'SELECT SUM(Errors) FROM "My/App" GROUP BY Stage',
    [
      ["dev", 100],
      ["prod", 11, 22],
    ],
  ],
  [
    'SELECT SUM(Errors) FROM "My/App" GROUP BY Function, Stage ORDER BY SUM() DESC LIMIT 2',
    [
      ["c dev", 100],
      ["b prod", 10, 20],
    ],
  ],
  [
    'SELECT MIN(Errors) FROM "My/App" GROUP BY Function ORDER BY MAX()',
    [
      ["a", 1, 2],
      ["b", 10, 20],
      ["c", 100],
      ["d", 1000],
    ],
  ],
  ["SELECT SUM(Errors) FROM Nothing", []],
])("%s", async (expression, expected) => {
  expect(await ask(expression)).toEqual(expected);
});

it("is one series of metric math, or several", async () => {
  const e = (Expression: string) => ({ Id: "e", Expression });
  expect(await ask('SELECT SUM(Errors) FROM "My/App"', e("q * 2"))).toEqual([["e", 12_222, 44]]);
  const grouped = 'SELECT SUM(Errors) FROM "My/App" GROUP BY Stage';
  expect(await ask(grouped, e("SUM(q)"))).toEqual([["e", 111, 22]]);
});

it.each([
  ["SELECT SUM(Errors)", "position 19: expected FROM"],
  [
    "SELECT SUM(Errors) FROM App WHERE Stage = prod",
    "position 43: expected a value in single quotation marks",
  ],
  ["SELECT SUM(Errors) FROM App LIMIT 501", "position 38: expected a number from 1 to 500"],
  ["SELECT SUM(Errors) FROM App * 2", "position 29: unexpected text"],
])("refuses %s", async (expression, message) => {
  expect(await errorOf(ask(expression))).toMatchObject({
    code: "ValidationException",
    message: `Error in expression 'q': The Metrics Insights query cannot be read at ${message}`,
  });
});

it("may be what an alarm watches, as one series or as several in an order", async () => {
  const alarm = (Expression: string) =>
    cloudwatch.call("PutMetricAlarm", {
      AlarmName: "errors",
      ComparisonOperator: "GreaterThanThreshold",
      EvaluationPeriods: 1,
      Threshold: 1,
      Metrics: [{ Id: "q", Expression, Period: 60, ReturnData: true }],
    });
  await alarm('SELECT SUM(Errors) FROM "My/App"');
  await alarm('SELECT SUM(Errors) FROM "My/App" GROUP BY Stage ORDER BY SUM()');
  expect(await errorOf(alarm('SELECT SUM(Errors) FROM "My/App" GROUP BY Stage'))).toMatchObject({
    code: "ValidationException",
  });
});
