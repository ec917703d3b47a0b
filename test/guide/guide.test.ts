// Every example of the guide, chapter by chapter, against one platform: as the guide has it, and with the repairs that
// AWS itself would demand. examples/guide/README.md tells which they are.
import { afterAll, beforeAll, describe, expect } from "vitest";
import { startPlatform, type TestPlatform } from "../support/platform.ts";
import { alarm } from "./chapters/alarm.ts";
import { asynchronous } from "./chapters/asynchronous.ts";
import { functions } from "./chapters/functions.ts";
import { layers } from "./chapters/layers.ts";
import { policy } from "./chapters/policy.ts";
import { settings } from "./chapters/settings.ts";
import { tracing } from "./chapters/tracing.ts";
import { Reader } from "./support.ts";

let platform: TestPlatform;
let reader: Reader;

beforeAll(async () => {
  platform = await startPlatform();
  reader = new Reader(platform.url);
});
afterAll(async () => {
  expect(await platform.stop()).toBe(0);
  expect(platform.errors()).toBe("");
});

/** The chapters are registered before the platform is there. */
const ready = (): Reader => reader;

describe("1.1, 5.1, 7.2: functions, their logs and their errors", () => functions(ready));
describe("1.2, 2.1: a layer", () => layers(ready));
describe("3.1, 6.2, 7.1: settings", () => settings(ready));
describe("3.2: asynchronous processing", () => asynchronous(ready));
describe("4.1: the principle of least privilege", () => policy(ready));
describe("5.2: tracing", () => tracing(ready));
describe("6.1: an alarm", () => alarm(ready));
