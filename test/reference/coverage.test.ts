import { join } from "node:path";
import { beforeEach, expect, test } from "vitest";
import { systemClock as clock } from "../../src/core/clock.ts";
import { systemIds as ids } from "../../src/core/ids.ts";
import { Drops } from "../../src/platform/drops.ts";
import { createNeighbours } from "../../src/platform/neighbours.ts";
import { createIngestion } from "../../src/services/logs/ingestion.ts";
import { createMetricSink } from "../../src/telemetry/metric-sink.ts";
import { createPlatformLog } from "../../src/telemetry/platform-log.ts";
import { createEncodedMessages } from "../../src/wire/authorisation/encoded-messages.ts";
import { PermissionUsage } from "../../src/wire/authorisation/usage.ts";
import { createSessions } from "../../src/wire/auth/sessions.ts";
import { createModels } from "../../src/wire/schema/load.ts";
import { iamDeps } from "../support/iam-service.ts";
import { createLambdaFixture } from "../support/lambda-service.ts";
import { withStorage } from "../support/storage.ts";
import { readDeviations, readTests, renderCoverage, untested, type ServiceCoverage } from "./coverage.ts";

const storage = withStorage();
const deviations = readDeviations();
const tests = readTests();
let services: readonly ServiceCoverage[];

/** The services that the platform serves. */
beforeEach(() => {
  const { documents, journal } = storage();
  const models = createModels();
  const key = Buffer.alloc(32);
  const neighbours = createNeighbours(
    {
      storage: storage(),
      clock,
      ids,
      log: createPlatformLog({ level: "error", json: false, stream: process.stderr }),
      metrics: createMetricSink({ clock }),
      drops: new Drops(),
      caller: { call: () => Promise.reject(new Error("nothing is called here")) },
      key,
      models,
      url: () => "",
    },
    {
      ingestion: createIngestion({ documents, journal, clock }),
      permissions: {
        ...iamDeps(documents),
        usage: new PermissionUsage(),
        messages: createEncodedMessages({ key, ids }),
      },
      sessions: createSessions({ key, clock, ids }),
      enforced: true,
      onSegments: () => undefined,
    },
  );
  const definitions = [
    createLambdaFixture(storage()).service,
    ...neighbours.map(({ definition }) => definition),
  ];
  const built = new Map(
    definitions.map(({ name, operations }) => [name, new Set(Object.keys(operations))] as const),
  );
  services = models.index
    .map(({ name }) => ({
      name,
      operations: [...models.get(name).operations.keys()].toSorted((a, b) => (a < b ? -1 : 1)),
      built: built.get(name) ?? new Set<string>(),
    }))
    .toSorted((a, b) => b.built.size - a.built.size || (a.name < b.name ? -1 : 1));
});

test("docs/reference/coverage.md is current: npm run coverage writes it", async () => {
  const file = join(import.meta.dirname, "../../docs/reference/coverage.md");
  await expect(renderCoverage(services, deviations, tests)).toMatchFileSnapshot(file);
});

test("handlers and deviations name operations that AWS has", () => {
  for (const { name, operations, built } of services) {
    const known = new Set(operations);
    expect([...built].filter((operation) => !known.has(operation))).toEqual([]);
    const differing = Object.keys(deviations[name] ?? {});
    expect(differing.filter((operation) => !built.has(operation))).toEqual([]);
  }
  const names = new Set(services.map(({ name }) => name));
  expect(Object.keys(deviations).filter((name) => !names.has(name))).toEqual([]);
});

test("every operation of Lambda that is built has a test", () => {
  const lambda = services.find(({ name }) => name === "lambda");
  expect(lambda === undefined ? undefined : untested(lambda, tests)).toEqual([]);
});

test("of Lambda, nothing is missing but durable executions and capacity providers with their scaling", () => {
  const lambda = services.find(({ name }) => name === "lambda");
  const missing = lambda?.operations.filter((operation) => !lambda.built.has(operation)) ?? [];
  const later = /DurableExecution|CapacityProvider|FunctionScalingConfig/;
  expect(missing.filter((operation) => !later.test(operation))).toEqual([]);
});

test("every operation of SQS is built, and has a test", () => {
  const sqs = services.find(({ name }) => name === "sqs");
  expect(sqs?.operations.filter((operation) => !sqs.built.has(operation))).toEqual([]);
  expect(sqs === undefined ? undefined : untested(sqs, tests)).toEqual([]);
});
