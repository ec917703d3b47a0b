import { describe, expect, it } from "vitest";
import { linesFor } from "./events.ts";
import type { TelemetryEvent } from "./events.ts";
import { parseSubscription } from "./subscription.ts";
import type { TelemetryApi } from "./subscription.ts";

const LINE = '{"timestamp":"2026-01-01T00:00:00.000Z","level":"INFO","message":"a\\nb"}';

const told = (event: TelemetryEvent, api: TelemetryApi, schemaVersion: string): unknown[] => {
  const destination = { protocol: "TCP", port: 8080 };
  const body = JSON.stringify({ schemaVersion, types: ["function"], destination });
  const lines = linesFor(event, parseSubscription(api, Buffer.from(body)));
  return lines.map((line) => {
    expect(line).not.toContain("\n");
    return (JSON.parse(line) as { record: unknown }).record;
  });
};

describe("a line of a log in JSON", () => {
  const event = (record: string) => ({ time: 0, type: "function", record, structured: true });

  it.each(["2022-12-13", "2025-01-29"])("is told as an object by schema %s", (schema) => {
    expect(told(event(`${LINE}\n`), "Telemetry", schema)).toEqual([JSON.parse(LINE)]);
    expect(told(event(JSON.stringify({ a: 1 }, undefined, 2)), "Telemetry", schema)).toEqual([{ a: 1 }]);
  });

  it.each(["plain\n", "{ no JSON\n", "[1]\n"])("is told as it is where it is none: %j", (line) => {
    expect(told(event(line), "Telemetry", "2022-12-13")).toEqual([line]);
  });

  it("is told as text by older schemas, by the Logs API, and where the log is not in JSON", () => {
    expect(told(event(LINE), "Telemetry", "2022-07-01")).toEqual([LINE]);
    expect(told(event(LINE), "Logs", "2021-03-18")).toEqual([LINE]);
    expect(told({ ...event(LINE), structured: false }, "Telemetry", "2022-12-13")).toEqual([LINE]);
  });
});

it("tells the Logs API alone of faults, by their line", () => {
  const line = "RequestId: r Error: Runtime exited with error: exit status 1\nRuntime.ExitError";
  const fault = { time: 0, type: "platform.fault", record: { line } };
  expect(told(fault, "Logs", "2020-08-15")).toEqual([line]);
  expect(told(fault, "Telemetry", "2022-12-13")).toEqual([]);
});
