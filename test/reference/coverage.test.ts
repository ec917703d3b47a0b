import { join } from "node:path";
import { beforeEach, expect, test } from "vitest";
import { systemClock } from "../../src/core/clock.ts";
import { systemIds } from "../../src/core/ids.ts";
import { VerdictCache } from "../../src/policy/verdict-cache.ts";
import { createPrincipals } from "../../src/services/iam/principals.ts";
import { createIamService } from "../../src/services/iam/service.ts";
import { createIngestion } from "../../src/services/logs/ingestion.ts";
import { createLogsService } from "../../src/services/logs/service.ts";
import { createSessions } from "../../src/wire/auth/sessions.ts";
import { createStsService } from "../../src/services/sts/service.ts";
import { createMetricSink } from "../../src/telemetry/metric-sink.ts";
import { createModels } from "../../src/wire/schema/load.ts";
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
  const [clock, ids] = [systemClock, systemIds];
  const ingestion = createIngestion({ documents, journal, clock });
  const metrics = createMetricSink({ clock });
  const caller = { call: () => Promise.reject(new Error("nothing is called here")) };
  const principals = createPrincipals({ documents, cache: new VerdictCache() });
  const built = new Map(
    [
      createLambdaFixture(storage()).service,
      createLogsService({ documents, journal, clock, ids, ingestion, metrics, caller }),
      createIamService({ documents, clock, ids, principals }),
      createStsService({
        sessions: createSessions({ key: Buffer.alloc(32), clock, ids }),
        roles: principals,
        clock,
      }),
    ].map(({ name, operations }) => [name, new Set(Object.keys(operations))] as const),
  );
  const models = createModels();
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
