import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseSegment } from "../segments/parse.ts";
import { Trace } from "../traces/trace.ts";
import { compileFilter } from "./compile.ts";
import { FilterExpressionError } from "./error.ts";

const TRACE_ID = "1-699437a0-000000000000000000000001";

function traceOf(...documents: object[]): Trace {
  const trace = new Trace(TRACE_ID);
  for (const fields of documents) {
    const document = JSON.stringify({ trace_id: TRACE_ID, ...fields });
    trace.add({ document, segment: parseSegment(document) });
  }
  return trace;
}

const api = {
  id: "0000000000000001",
  name: "api",
  origin: "AWS::ApiGateway::Stage",
  start_time: 100,
  end_time: 102,
  user: "ann",
  http: {
    request: { url: "http://x/orders", method: "GET", user_agent: "curl", client_ip: "1.2.3.4" },
    response: { status: 404 },
  },
  annotations: { stage: "live", items: 3, vip: true },
  subsegments: [
    { id: "00000000000000a1", name: "worker", start_time: 100.5, end_time: 101, namespace: "aws" },
  ],
};
const worker = {
  id: "0000000000000002",
  name: "worker",
  origin: "AWS::Lambda::Function",
  parent_id: "00000000000000a1",
  start_time: 100.6,
  end_time: 100.9,
  fault: true,
  cause: { exceptions: [{ id: "00000000000000e1", type: "IOError", message: "no disk" }] },
  subsegments: [
    {
      id: "00000000000000b1",
      name: "DynamoDB",
      start_time: 100.7,
      end_time: 100.8,
      namespace: "aws",
      aws: { operation: "GetItem", table_name: "orders" },
      throttle: true,
    },
  ],
};
const trace = traceOf(api, worker);

describe("a trace", () => {
  it.each([
    ["ok", false],
    ["!ok", true],
    ["error AND fault", true],
    ["throttle = true", false],
    ["fault = false", false],
    ["partial", false],
    ["inferred", true],
    ["responsetime > 1.5 AND responsetime <= 2", true],
    ["duration = 2", true],
    ["http.status = 404", true],
    ["http.status != 404", false],
    ['http.url CONTAINS "orders"', true],
    ['http.url BEGINSWITH "https"', false],
    ['http.method = "GET" and http.useragent ENDSWITH "rl"', true],
    ['http.clientip = "1.2.3.4"', true],
    ["user", true],
    ['user = "bob" OR name = "api"', true],
    ['NOT user = "bob"', true],
    ['annotation.stage = "live"', true],
    ['annotation[stage] CONTAINS "iv"', true],
    ["annotation.items >= 3", true],
    ["annotation.items = 4", false],
    ["annotation.vip = true", true],
    ["annotation.vip = false", false],
    ["annotation.missing", false],
    ["annotation.stage", true],
    ['service("worker") { fault }', true],
    ['service("worker") { ok }', false],
    ['service("api") { http.status = 404 and root }', true],
    ['service(id(name: "worker", type: "AWS::Lambda::Function")) { responsetime < 1 }', true],
    ['service(id(type: "AWS::DynamoDB")) { throttle AND inferred }', true],
    ["service() { fault }", true],
    ['service("missing")', false],
    ['edge("api", "worker")', true],
    ['edge("api", "worker") { fault }', true],
    ['edge("worker", "orders") { ok }', false],
    ['edge("worker", "api")', false],
    ['id(name: "orders", type: "AWS::DynamoDB")', true],
    ['"worker"', true],
    ['(ok OR fault) AND !(user = "bob")', true],
    ['group.name = "faults"', true],
    ['group.arn = "arn:aws:xray:us-east-1:123456789012:group/faults/ABC"', true],
    ["fault !partial duration <3", true],
    ["fault ok", false],
    ['instance.id CONTAINS ""', false],
    ['type = "AWS::ApiGateway::Stage"', true],
    ["coverage > 0", false],
    ['rootcause.fault.service { name = "worker" }', true],
    ["rootcause.fault.service { first and last and index = 0 }", true],
    ['rootcause.error.service { last and inferred and type = "AWS::DynamoDB" }', false],
    ['rootcause.fault.service { name = "api" }', false],
    ['rootcause.fault.exception { last and message = "no disk" and name = "IOError" }', true],
    ['rootcause.fault.exception { message = "other" }', false],
    ["rootcause.fault.entity { remote }", false],
    ["rootcause.responsetime.entity { last and coverage > 0.9 }", true],
    ["rootcause.responsetime.entity { index > 0 }", false],
    [
      'rootcause.json = #[{ "Services": [{ "Name": "worker", "EntityPath": [{ "Name": "worker" }] }] }]',
      true,
    ],
    ['rootcause.json = #[{ "Services": [{ "Name": "worker" }] }] AND fault', true],
    ['rootcause.json = #[{ "Services": [{ "Name": "] \\" }" }] }]', false],
    ['group.name = "all"', true],
  ])("%s", (expression, expected) => {
    const groups = new Map([
      ["faults", "fault"],
      ["all", ""],
    ]);
    expect(compileFilter(expression, (name) => groups.get(name))(trace)).toBe(expected);
  });

  it("that goes on, or whose segments have not all come", () => {
    const { end_time: _end, ...open } = api;
    expect(compileFilter("partial")(traceOf({ ...open, in_progress: true }))).toBe(true);
    expect(compileFilter('edge("api", "worker") { inferred }')(traceOf(api))).toBe(true);
  });
});

describe("what is refused", () => {
  it.each([
    "",
    "nonsense",
    "responsetime",
    "responsetime > fast",
    "http.status CONTAINS 4",
    'name = "open',
    "ok AND",
    "(ok",
    "ok)",
    "fault = maybe",
    "service(",
    'service("a") { ok',
    'edge("a")',
    "id(size: 1)",
    'group.name = "missing"',
    "ok; fault",
    "rootcause.fault.trace { ok }",
    "rootcause.json = #[",
    "rootcause.json = #3",
    'rootcause.json = #[{ "Services": [{ "Name": 1 }] }]',
    'rootcause.json = "[]"',
    "#[]",
  ])("%s", (expression) => {
    expect(() => compileFilter(expression)).toThrow(FilterExpressionError);
  });

  it("never fails otherwise, whatever the expression", () => {
    const word = fc.constantFrom(
      ..."ok fault AND OR ! ( ) { } service edge id name = != > annotation.x CONTAINS , : responsetime 1.5 rootcause.fault.entity rootcause.json #[] #[{}]".split(
        " ",
      ),
      '"a"',
    );
    const expression = fc.oneof(
      fc.string({ maxLength: 40 }),
      fc.array(word, { maxLength: 10 }).map((words) => words.join(" ")),
    );
    fc.assert(
      fc.property(expression, (text) => {
        try {
          expect(typeof compileFilter(text)(trace)).toBe("boolean");
        } catch (error) {
          expect(error).toBeInstanceOf(FilterExpressionError);
        }
      }),
      { numRuns: 2000 },
    );
  });
});
