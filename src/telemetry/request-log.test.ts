import { expect, it } from "vitest";
import { ManualClock } from "#core/clock";
import { createPlatformLog, type LogLevel } from "./platform-log.ts";
import { type AnsweredRequest, createRequestLog } from "./request-log.ts";

const request: AnsweredRequest = {
  method: "POST",
  path: "/2015-03-31/functions/hello/invocations",
  service: "lambda",
  operation: "Invoke",
  status: 200,
  durationMs: 1.26,
  requestId: "8f3ad1f2-0000-4000-8000-000000000000",
};

const clock = new ManualClock(Date.UTC(2026, 0, 1, 12, 30));

function logged(json: boolean, level: LogLevel, answered: AnsweredRequest): string {
  let written = "";
  const stream = { write: (text: string) => (written += text) };
  createRequestLog({ level, json, stream, clock })?.(answered);
  return written;
}

it("writes one short line a request", () => {
  expect(logged(false, "info", request)).toBe(
    "12:30:00.000 info  POST lambda.Invoke 200 1.3 ms 8f3ad1f2-0000-4000-8000-000000000000\n",
  );
});

it("writes JSON where that is asked for", () => {
  expect(JSON.parse(logged(true, "info", request))).toEqual({
    level: "info",
    time: "2026-01-01T12:30:00.000Z",
    method: "POST",
    service: "lambda",
    operation: "Invoke",
    status: 200,
    ms: 1.3,
    requestId: request.requestId,
    msg: "request",
  });
});

it("tells the path, shortened, where no operation was found", () => {
  const strange = { ...request, service: "s3", operation: undefined, path: `/bucket/${"x".repeat(500)}` };
  expect(logged(false, "info", strange)).toMatch(/POST \/bucket\/x{112} 200 /);
  expect(JSON.parse(logged(true, "info", strange))).toMatchObject({
    service: "s3",
    path: /^\/bucket\/x+$/.exec(strange.path)?.[0].slice(0, 120),
  });
});

it("writes JSON of the same form as the platform's log", () => {
  let written = "";
  createPlatformLog({ level: "info", json: true, stream: { write: (text) => (written += text) } }).info(
    "request",
  );
  const { level, time, msg } = JSON.parse(written) as Record<string, string>;
  const line = JSON.parse(logged(true, "info", request)) as Record<string, string>;
  expect([line["level"], line["msg"]]).toEqual([level, msg]);
  expect(line["time"]).toHaveLength(time?.length ?? 0);
  expect(Object.keys(line).slice(0, 2)).toEqual(Object.keys(JSON.parse(written) as object).slice(0, 2));
});

it("writes nothing below its level", () => {
  expect(logged(false, "warn", request)).toBe("");
});
