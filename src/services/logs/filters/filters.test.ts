import { gunzipSync } from "node:zlib";
import { expect, it, vi } from "vitest";
import { ManualClock } from "#core/clock";
import { AwsError } from "#core/errors";
import type { CallerIdentity } from "#wire/operation";
import { testCall } from "../../../../test/support/call.ts";
import { createLogsFixture } from "../../../../test/support/logs-service.ts";
import { withStorage } from "../../../../test/support/storage.ts";
import type { LogsService } from "../service.ts";

const storage = withStorage();
const FUNCTION = "arn:aws:lambda:us-east-1:111111111111:function:consumer";
const MINUTE = 60_000;

interface Delivered {
  readonly by: CallerIdentity;
  readonly message: {
    readonly logStream: string;
    readonly subscriptionFilters: readonly string[];
    readonly logEvents: readonly { readonly id: string; readonly message: string }[];
  };
}

/** A service over the test's storage, and what its subscriptions' function was given. */
function open(clock: ManualClock, refuse: { error: AwsError | undefined } = { error: undefined }) {
  const delivered: Delivered[] = [];
  const caller = {
    call(_service: string, _operation: string, input: unknown, by: CallerIdentity): Promise<unknown> {
      const { InvocationType, Payload } = input as { InvocationType: string; Payload?: Uint8Array };
      if (refuse.error !== undefined) return Promise.reject(refuse.error);
      if (InvocationType === "Event") {
        const { awslogs } = JSON.parse(String(Payload)) as { awslogs: { data: string } };
        const message = JSON.parse(
          gunzipSync(Buffer.from(awslogs.data, "base64")).toString(),
        ) as Delivered["message"];
        delivered.push({ by, message });
      }
      return Promise.resolve({ StatusCode: 202 });
    },
  };
  const { service, metrics } = createLogsFixture(storage(), clock, caller);
  return { service, delivered, metrics };
}

function client(service: LogsService) {
  const call = testCall();
  return async (operation: string, input: object) =>
    (await service.operations[operation]?.(input as never, call)) as Record<string, unknown>;
}

async function withGroup(clock: ManualClock, service: LogsService) {
  const ask = client(service);
  await ask("CreateLogGroup", { logGroupName: "/g" });
  await ask("CreateLogStream", { logGroupName: "/g", logStreamName: "s" });
  const put = (...messages: string[]) =>
    ask("PutLogEvents", {
      logGroupName: "/g",
      logStreamName: "s",
      logEvents: messages.map((message) => ({ timestamp: clock.now(), message })),
    });
  return { ask, put };
}

it("delivers what matches, from the filter's creation on, as CloudWatch Logs does", async () => {
  const clock = new ManualClock();
  const { service, delivered } = open(clock);
  const { ask, put } = await withGroup(clock, service);
  await put("ERROR before");
  clock.advance(1000);
  const filter = {
    logGroupName: "/g",
    filterName: "errors",
    filterPattern: "ERROR",
    destinationArn: FUNCTION,
  };
  await ask("PutSubscriptionFilter", filter);
  await put("ERROR one", "INFO two", "ERROR three");
  await service.close();
  expect(delivered).toHaveLength(1);
  expect(delivered[0]?.message).toMatchObject({
    messageType: "DATA_MESSAGE",
    owner: "111111111111",
    logGroup: "/g",
    logStream: "s",
    subscriptionFilters: ["errors"],
    logEvents: [
      { id: expect.stringMatching(/^\d{56}$/), timestamp: clock.now(), message: "ERROR one" },
      { message: "ERROR three" },
    ],
  });
  expect(delivered[0]?.by).toMatchObject({
    region: "us-east-1",
    principal: {
      kind: "service",
      service: "logs.amazonaws.com",
      account: "111111111111",
      sourceArn: "arn:aws:logs:us-east-1:111111111111:log-group:/g:*",
      sourceAccount: "111111111111",
    },
  });
  expect(await ask("DescribeSubscriptionFilters", { logGroupName: "/g" })).toEqual({
    subscriptionFilters: [
      { ...filter, distribution: "ByLogStream", applyOnTransformedLogs: false, creationTime: clock.now() },
    ],
  });
});

it("delivers nothing of a group that was made again, whose filters went with the first", async () => {
  const clock = new ManualClock();
  const { service, delivered } = open(clock);
  const { ask, put } = await withGroup(clock, service);
  const filter = { logGroupName: "/g", filterName: "all", filterPattern: "", destinationArn: FUNCTION };
  await ask("PutSubscriptionFilter", filter);
  await put("first");
  await vi.waitFor(() => expect(delivered).toHaveLength(1));
  await ask("DeleteLogGroup", { logGroupName: "/g" });
  const again = await withGroup(clock, service);
  await again.put("second");
  clock.advance(1000);
  await ask("PutSubscriptionFilter", filter);
  await again.put("third");
  await service.close();
  const messages = delivered.map(({ message }) => message.logEvents.map((event) => event.message));
  expect(messages).toEqual([["first"], ["third"]]);
});

it("goes on after a restart where it was, losing nothing and repeating nothing", async () => {
  const clock = new ManualClock();
  const first = open(clock);
  const { ask, put } = await withGroup(clock, first.service);
  const filter = { logGroupName: "/g", filterName: "all", filterPattern: "", destinationArn: FUNCTION };
  await ask("PutSubscriptionFilter", filter);
  await put("one");
  await first.service.close();
  // Appended, but not followed any more: as after a crash.
  await put("two");
  expect(first.delivered.map(({ message }) => message.logEvents.length)).toEqual([1]);
  const second = open(clock);
  second.service.start();
  await second.service.close();
  expect(second.delivered.flatMap(({ message }) => message.logEvents.map((event) => event.message))).toEqual([
    "two",
  ]);
});

it("tries again what failed by no fault of the filter's, later and later; drops what its owner has to mend", async () => {
  const clock = new ManualClock();
  const refuse: { error: AwsError | undefined } = { error: undefined };
  const { service, delivered, metrics } = open(clock, refuse);
  const { ask, put } = await withGroup(clock, service);
  const filter = { logGroupName: "/g", filterName: "all", filterPattern: "", destinationArn: FUNCTION };
  await ask("PutSubscriptionFilter", filter);
  const counted = () =>
    Object.fromEntries(
      metrics
        .read()
        .filter(({ address }) => address.dimensions["FilterName"] === "all")
        .map(({ address, minutes }) => [address.name, minutes.reduce((sum, { sum: part }) => sum + part, 0)]),
    );
  refuse.error = new AwsError("TooManyRequestsException", "Rate Exceeded.", { status: 429 });
  await put("one");
  await expect.poll(counted).toEqual({ DeliveryThrottling: 1 });
  clock.advance(999);
  expect(counted()).toEqual({ DeliveryThrottling: 1 });
  clock.advance(1);
  await expect.poll(counted).toEqual({ DeliveryThrottling: 2 });
  refuse.error = undefined;
  clock.advance(2000);
  await expect.poll(() => delivered.length).toBe(1);
  refuse.error = new AwsError("AccessDeniedException", "no", { status: 403 });
  await put("two");
  const ForwardedBytes: unknown = expect.any(Number);
  await expect
    .poll(counted)
    .toEqual({ DeliveryThrottling: 2, ForwardedLogEvents: 1, ForwardedBytes, DeliveryErrors: 1 });
  refuse.error = undefined;
  await put("three");
  await service.close();
  expect(delivered.flatMap(({ message }) => message.logEvents.map((event) => event.message))).toEqual([
    "one",
    "three",
  ]);
});

it("refuses destinations that cannot be invoked, and a third filter", async () => {
  const clock = new ManualClock();
  const refuse: { error: AwsError | undefined } = { error: undefined };
  const { service } = open(clock, refuse);
  const { ask } = await withGroup(clock, service);
  const filter = (filterName: string, more: object = {}) =>
    ask("PutSubscriptionFilter", {
      logGroupName: "/g",
      filterName,
      filterPattern: "",
      destinationArn: FUNCTION,
      ...more,
    });
  await filter("one");
  await filter("two");
  await filter("two");
  await expect(filter("three")).rejects.toMatchObject({
    code: "LimitExceededException",
    message: "Resource limit exceeded.",
  });
  await expect(filter("one", { filterPattern: "{ $.a" })).rejects.toMatchObject({
    code: "InvalidParameterException",
  });
  await expect(filter("one", { destinationArn: "arn:aws:kinesis:us-east-1:1:stream/s" })).rejects.toThrow(
    "kinesis",
  );
  refuse.error = new AwsError("AccessDeniedException", "no", { status: 403 });
  await expect(filter("one")).rejects.toThrow("Could not execute the lambda function.");
  await ask("DeleteSubscriptionFilter", { logGroupName: "/g", filterName: "one" });
  await expect(ask("DeleteSubscriptionFilter", { logGroupName: "/g", filterName: "one" })).rejects.toThrow(
    "The specified subscription filter does not exist.",
  );
});

it("publishes metrics of what it finds, with values, dimensions and defaults", async () => {
  const clock = new ManualClock(Date.UTC(2026, 1, 17, 10));
  const { service, metrics } = open(clock);
  const { ask, put } = await withGroup(clock, service);
  const metric = (filterName: string, filterPattern: string, transformation: object) =>
    ask("PutMetricFilter", {
      logGroupName: "/g",
      filterName,
      filterPattern,
      metricTransformations: [
        { metricNamespace: "App", metricName: filterName, metricValue: "1", ...transformation },
      ],
    });
  await metric("Errors", "{ $.level = ERROR }", { defaultValue: 0 });
  await metric("Latency", "{ $.ms = * }", {
    metricValue: "$.ms",
    unit: "Milliseconds",
    dimensions: { Path: "$.path" },
  });
  await put('{"level":"ERROR"}', '{"level":"INFO","ms":20,"path":"/a"}', '{"ms":5}');
  clock.advance(MINUTE);
  await put('{"level":"INFO"}');
  await service.close();
  const read = metrics
    .read()
    .filter(({ address }) => address.namespace === "App")
    .map(({ address, minutes }) => ({
      ...address,
      minutes: minutes.map(({ start, sum, count }) => [start, sum, count]),
    }));
  const [account, region] = ["111111111111", "us-east-1"];
  const start = clock.now() - MINUTE;
  expect(read).toEqual([
    {
      account,
      region,
      namespace: "App",
      name: "Errors",
      unit: "None",
      dimensions: {},
      minutes: [
        [start, 1, 1],
        [start + MINUTE, 0, 1],
      ],
    },
    {
      account,
      region,
      namespace: "App",
      name: "Latency",
      unit: "Milliseconds",
      dimensions: { Path: "/a" },
      minutes: [[start, 20, 1]],
    },
  ]);
  expect(await ask("DescribeLogGroups", {})).toMatchObject({ logGroups: [{ metricFilterCount: 2 }] });
});

it("describes metric filters as recorded, tests them, and forgets them with their group", async () => {
  const clock = new ManualClock();
  const { service } = open(clock);
  const { ask } = await withGroup(clock, service);
  const metricTransformations = [{ metricName: "metric", metricNamespace: "namespace", metricValue: "1" }];
  const put = (filterName: string, more: object = {}) =>
    ask("PutMetricFilter", {
      logGroupName: "/g",
      filterName,
      filterPattern: "pattern",
      metricTransformations,
      ...more,
    });
  await put("f");
  await put("g", { metricTransformations: [{ ...metricTransformations[0], metricName: "other" }] });
  const described = {
    applyOnTransformedLogs: false,
    creationTime: clock.now(),
    filterName: "f",
    filterPattern: "pattern",
    logGroupName: "/g",
    metricTransformations,
  };
  const byMetric = { metricName: "metric", metricNamespace: "namespace" };
  expect(await ask("DescribeMetricFilters", byMetric)).toEqual({ metricFilters: [described] });
  const page = await ask("DescribeMetricFilters", { logGroupName: "/g", limit: 1 });
  expect(page).toMatchObject({ metricFilters: [described], nextToken: expect.any(String) });
  const rest = { logGroupName: "/g", nextToken: page["nextToken"] };
  expect(await ask("DescribeMetricFilters", rest)).toMatchObject({ metricFilters: [{ filterName: "g" }] });
  await expect(
    put("h", { metricTransformations: [{ ...metricTransformations[0], metricValue: "$.a" }] }),
  ).rejects.toThrow("Invalid metric value");
  await expect(ask("DescribeMetricFilters", { metricName: "metric" })).rejects.toThrow("together");
  expect(
    await ask("TestMetricFilter", {
      filterPattern: "[ip, status = 4*]",
      logEventMessages: ["a 200", "b 404"],
    }),
  ).toEqual({
    matches: [{ eventNumber: 2, eventMessage: "b 404", extractedValues: { $ip: "b", $status: "404" } }],
  });
  await put("f");
  await ask("DeleteMetricFilter", { logGroupName: "/g", filterName: "g" });
  expect(await ask("DescribeLogGroups", {})).toMatchObject({ logGroups: [{ metricFilterCount: 1 }] });
  await ask("DeleteLogGroup", { logGroupName: "/g" });
  await ask("CreateLogGroup", { logGroupName: "/g" });
  expect(await ask("DescribeLogGroups", {})).toMatchObject({ logGroups: [{ metricFilterCount: 0 }] });
  expect(await ask("DescribeMetricFilters", { logGroupName: "/g" })).toEqual({ metricFilters: [] });
  await expect(ask("DeleteMetricFilter", { logGroupName: "/g", filterName: "f" })).rejects.toThrow(
    "metric filter",
  );
});
