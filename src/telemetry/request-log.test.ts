import { expect, it } from "vitest";
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

function logged(json: boolean, level: LogLevel, answered: AnsweredRequest): string {
  let written = "";
  const log = createPlatformLog({ level, json, stream: { write: (text) => (written += text) } });
  createRequestLog(log, json)?.(answered);
  return written;
}

it("writes one short line a request", () => {
  expect(logged(false, "info", request)).toMatch(
    /^[\d:.]{12} info {2}POST lambda\.Invoke 200 1\.3 ms 8f3ad1f2-0000-4000-8000-000000000000\n$/,
  );
});

it("writes JSON where that is asked for", () => {
  expect(JSON.parse(logged(true, "info", request))).toEqual({
    level: "info",
    time: expect.any(String),
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

it("writes nothing below its level", () => {
  expect(logged(false, "warn", request)).toBe("");
});
