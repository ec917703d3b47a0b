import { expect, it } from "vitest";
import { lineOf } from "./log-line.ts";

const requestId = "01f587ab-14e6-4846-ad22-16183596d1d4";
const timestamp = "2026-11-27T00:40:16.821Z";
const error = { errorType: "TypeError", errorMessage: "oops", stackTrace: ["TypeError: oops", "    at x"] };

it.each([
  [`${timestamp} ${requestId} Task timed out`, "Task timed out"],
  [`[INFO]\t${timestamp}\t${requestId}\thello`, "hello"],
  ["plain\nlines", "plain\nlines"],
  ["{ no JSON", "{ no JSON"],
  ['{"order":7}', '{"order":7}'],
  [
    '{"level":"INFO","message":"of the user\'s own form"}',
    '{"level":"INFO","message":"of the user\'s own form"}',
  ],
  [{ timestamp, level: "INFO", requestId, message: "hi { a: 1 }" }, "INFO  hi { a: 1 }"],
  [{ timestamp, level: "WARN", requestId, message: { a: 1 } }, 'WARN  {"a":1}'],
  [{ timestamp, level: "ERROR", requestId, message: error }, "ERROR  TypeError: oops"],
  [
    { timestamp, level: "ERROR", message: "no", logger: "root", requestId, errorType: "E" },
    'ERROR  no  {"logger":"root","errorType":"E"}',
  ],
  [
    { time: timestamp, type: "platform.start", record: { requestId, version: "$LATEST" } },
    'platform.start  {"version":"$LATEST"}',
  ],
  [{ time: timestamp, type: "platform.x" }, "platform.x"],
])("%j is told as %j", (given, told) => {
  expect(lineOf(typeof given === "string" ? given : JSON.stringify(given))).toBe(told);
});
