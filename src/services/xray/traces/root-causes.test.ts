import { expect, it } from "vitest";
import { parseSegment } from "../segments/parse.ts";
import { rootCausesOf, type CauseKind } from "./root-causes.ts";
import { Trace } from "./trace.ts";

const TRACE_ID = "1-699437a0-000000000000000000000001";

function traceOf(...documents: readonly object[]): Trace {
  const trace = new Trace(TRACE_ID);
  for (const fields of documents) {
    const document = JSON.stringify({ trace_id: TRACE_ID, ...fields });
    trace.add({ document, segment: parseSegment(document) });
  }
  return trace;
}

const part = (n: number, start: number, end: number, more: object = {}) => ({
  id: String(n).padStart(16, "0"),
  name: `part ${n}`,
  start_time: 100 + start,
  end_time: 100 + end,
  ...more,
});
const id = (n: number) => String(n).padStart(16, "0");
const failed = { fault: true };
const called = { namespace: "aws", aws: { table_name: "orders" }, name: "DynamoDB" };

/** The names of the services on the way, with those of what lies on it in each. */
const told = (trace: Trace, kind: CauseKind) =>
  rootCausesOf(trace, kind).map(({ services, clientImpacting }) => [
    clientImpacting,
    ...services.map(({ service, entities }) => [service.name, ...entities.map(({ timed }) => timed.name)]),
  ]);

it("follows a fault from whoever answered it to where it comes from", () => {
  const trace = traceOf(
    part(1, 0, 10, { name: "web", ...failed, subsegments: [part(2, 1, 2), part(3, 2, 9, failed)] }),
    part(4, 3, 8, {
      name: "worker",
      parent_id: id(3),
      ...failed,
      subsegments: [part(5, 4, 7, { ...failed, ...called })],
    }),
    part(6, 3, 4, { name: "other", parent_id: id(2), ...failed }),
  );
  expect(told(trace, "fault")).toEqual([
    [true, ["web", "web", "part 3"], ["worker", "worker", "DynamoDB"], ["orders", "DynamoDB"]],
    [false, ["other", "other"]],
  ]);
  expect(told(trace, "error")).toEqual([]);
});

it("follows a fault through the segments of Lambda, the second of which lies within the first", () => {
  const lambda = (n: number, more: object) => part(n, 0, 10, { name: "order", ...failed, ...more });
  const trace = traceOf(
    lambda(1, { origin: "AWS::Lambda" }),
    lambda(2, {
      origin: "AWS::Lambda::Function",
      parent_id: id(1),
      subsegments: [part(3, 1, 9, { ...failed, name: "Invocation" })],
    }),
    lambda(4, { origin: "AWS::Lambda::Function", parent_id: id(1), fault: false }),
  );
  expect(told(trace, "fault")).toEqual([[true, ["order", "order"], ["order", "order", "Invocation"]]]);
});

it("follows what takes most of the time", () => {
  const trace = traceOf(
    part(1, 0, 10, { name: "web", subsegments: [part(2, 0, 3), part(3, 3, 9)] }),
    part(4, 3, 9, { name: "worker", parent_id: id(3), subsegments: [part(5, 4, 6), part(6, 6, 8)] }),
  );
  expect(told(trace, "responsetime")).toEqual([[true, ["web", "web", "part 3"], ["worker", "worker"]]]);
  const [cause] = rootCausesOf(trace, "responsetime");
  expect(cause?.services.flatMap(({ entities }) => entities.map(({ coverage }) => coverage))).toEqual([
    1, 0.6, 0.6,
  ]);
});

it("ends where segments answer each other", () => {
  const loop = traceOf(
    part(1, 0, 10, { name: "a", parent_id: id(4), ...failed, subsegments: [part(2, 0, 10, failed)] }),
    part(3, 0, 10, { name: "b", parent_id: id(2), ...failed, subsegments: [part(4, 0, 10, failed)] }),
  );
  expect(told(loop, "fault")).toEqual([[true, ["a", "a", "part 2"], ["b", "b", "part 4"]]]);
  expect(told(loop, "responsetime")).toHaveLength(1);
  expect(told(traceOf(part(1, 0, 0)), "responsetime")).toEqual([]);
});
