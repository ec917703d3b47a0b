import * as fc from "fast-check";
import { expect, it } from "vitest";
import { ManualClock } from "#core/clock";
import { createMetricSink } from "#telemetry/metric-sink";
import { encodeLogRecord } from "#telemetry/log-record";
import { embeddedValues, mayHoldMetrics, publishEmbedded } from "./embedded-metrics.ts";

const NOW = Date.UTC(2026, 1, 17, 10);

/** As Powertools writes it. */
const event = {
  _aws: {
    Timestamp: NOW,
    CloudWatchMetrics: [
      {
        Namespace: "shop",
        Dimensions: [["service"], ["service", "stage"], ["missing"], []],
        Metrics: [
          { Name: "orders", Unit: "Count" },
          { Name: "took", Unit: "Milliseconds" },
          { Name: "absent" },
        ],
      },
    ],
  },
  service: "cart",
  stage: 1,
  orders: 2,
  took: [10, 20, "x"],
};

it("reads values with each of their sets of dimensions", () => {
  const values = [...embeddedValues(JSON.stringify(event))];
  const both = { service: "cart", stage: "1" };
  expect(values.map(({ name, value, dimensions }) => [name, value, dimensions])).toEqual([
    ["orders", 2, { service: "cart" }],
    ["orders", 2, both],
    ["orders", 2, {}],
    ["took", 10, { service: "cart" }],
    ["took", 10, both],
    ["took", 10, {}],
    ["took", 20, { service: "cart" }],
    ["took", 20, both],
    ["took", 20, {}],
  ]);
  expect(values[3]).toMatchObject({ namespace: "shop", unit: "Milliseconds", time: NOW });
});

it("publishes them as metrics, at the time of their event or now", () => {
  const clock = new ManualClock(NOW);
  const metrics = createMetricSink({ clock });
  const scope = { account: "111111111111", region: "us-east-1" };
  publishEmbedded(metrics, scope, JSON.stringify(event), NOW + 60_000);
  const { Timestamp: _time, ...metadata } = event._aws;
  publishEmbedded(metrics, scope, JSON.stringify({ ...event, _aws: metadata }), NOW + 60_000);
  const orders = metrics
    .read()
    .find(({ address }) => address.name === "orders" && "stage" in address.dimensions);
  expect(orders?.address).toMatchObject({ ...scope, namespace: "shop", unit: "Count" });
  expect(orders?.minutes.map(({ start, sum }) => [start, sum])).toEqual([
    [NOW, 2],
    [NOW + 60_000, 2],
  ]);
});

it("looks only at events with the format's mark", () => {
  expect(mayHoldMetrics(encodeLogRecord(1, 2, JSON.stringify(event)))).toBe(true);
  expect(mayHoldMetrics(encodeLogRecord(1, 2, '{"aws":1}'))).toBe(false);
});

it("never fails, whatever the event holds", () => {
  const member = fc.oneof(fc.jsonValue(), fc.constantFrom("a", ["a"], [["a"]], [{ Name: "a" }], 1));
  const directive = fc.record(
    { Namespace: member, Dimensions: member, Metrics: member },
    { requiredKeys: [] },
  );
  const metadata = fc.record(
    { Timestamp: member, CloudWatchMetrics: fc.oneof(member, fc.array(directive)) },
    { requiredKeys: [] },
  );
  const message = fc.oneof(
    fc.string(),
    fc.record({ _aws: fc.oneof(member, metadata), a: member }).map((fields) => JSON.stringify(fields)),
  );
  fc.assert(
    fc.property(message, (text) => {
      for (const { value, name } of embeddedValues(text)) {
        expect(Number.isFinite(value)).toBe(true);
        expect(name).not.toBe("");
      }
    }),
    { numRuns: 1000 },
  );
});
