import { afterAll, beforeAll, beforeEach, expect, it } from "vitest";
import type { FunctionSpec, SegmentDocument } from "#engine/contract";
import { openBench } from "./support.ts";
import type { Bench } from "./support.ts";

const ROOT = "1-5759e988-bd862e3fe1be46a994272793";
const PARENT = "53995c3f42cd8ad8";
/** An invocation whose caller decided that it is traced. */
const SAMPLED = { traceHeader: `Root=${ROOT};Parent=${PARENT};Sampled=1;Lineage=1:a87bd80c:1` };

let bench: Bench;
const segments: SegmentDocument[] = [];
const owners = new Set<FunctionSpec>();

beforeAll(async () => {
  const write = (spec: FunctionSpec, segment: SegmentDocument): void => {
    owners.add(spec);
    segments.push(segment);
  };
  // Of invocations beyond the first of a second, none is taken.
  bench = await openBench({ traces: { write }, random: () => 0.99 });
});
beforeEach(() => {
  segments.length = 0;
  owners.clear();
});
afterAll(() => bench.close());

const source = {
  "index.js": `exports.handler = async (event) => {
    if (event.fail) throw new TypeError("it failed");
    return process.env._X_AMZN_TRACE_ID;
  };`,
};

function shape({ origin, subsegments = [], fault, error }: SegmentDocument) {
  return { origin, parts: subsegments.map(({ name }) => name), fault: fault === true, error: error === true };
}

it("records a traced invocation, and puts what the function does under it", async () => {
  const spec = await bench.spec(source, { name: "traced" });
  const cold = await bench.invoke(spec, {}, SAMPLED);
  const [service, run] = segments;
  expect(segments.map(shape)).toEqual([
    { origin: "AWS::Lambda", parts: [], fault: false, error: false },
    {
      origin: "AWS::Lambda::Function",
      parts: ["Initialization", "Invocation", "Overhead"],
      fault: false,
      error: false,
    },
  ]);
  expect(service).toMatchObject({ trace_id: ROOT, parent_id: PARENT, aws: { request_id: cold.requestId } });
  expect(run).toMatchObject({ trace_id: ROOT, parent_id: service?.id });
  expect(cold.payload).toBe(`Root=${ROOT};Parent=${run?.id};Sampled=1;Lineage=1:a87bd80c:1`);
  expect(cold.tail).toContain(`\t\nXRAY TraceId: ${ROOT}\tSegmentId: ${run?.id}\tSampled: true\t\n`);
  expect([...owners]).toEqual([spec]);

  segments.length = 0;
  await bench.invoke(spec, {}, SAMPLED);
  expect(segments.map(shape)[1]?.parts).toEqual(["Invocation", "Overhead"]);
});

it("tells a function's error as a fault, with its cause", async () => {
  const spec = await bench.spec(source, { name: "faulty" });
  await bench.invoke(spec, { fail: true }, SAMPLED);
  expect(segments.map(({ fault }) => fault)).toEqual([true, true]);
  expect(segments[1]?.cause?.exceptions).toMatchObject([{ type: "TypeError", message: "it failed" }]);
});

it("tells an init that fails, where no event was given to the function", async () => {
  const spec = await bench.spec({ "index.js": 'throw new Error("never");' }, { name: "broken" });
  await bench.invoke(spec, {}, SAMPLED);
  expect(segments.map(shape)).toMatchObject([
    { fault: true },
    { parts: ["Initialization"], fault: true, origin: "AWS::Lambda::Function" },
  ]);
});

it("records nothing of what its caller does not want traced, nor of a function that only passes through", async () => {
  const passing = await bench.spec(source, { name: "passing" });
  const active = await bench.spec(source, { name: "refused", tracing: "Active" });
  const given = `Root=${ROOT};Parent=${PARENT};Sampled=0`;
  const refused = await bench.invoke(active, {}, { traceHeader: given });
  expect(refused.payload).toBe(given);
  expect(refused.tail).not.toContain("XRAY");
  expect((await bench.invoke(passing)).payload).toMatch(/;Sampled=0$/);
  expect((await bench.invoke(passing, {}, { traceHeader: `Root=${ROOT}` })).payload).toMatch(
    new RegExp(`^Root=${ROOT};Parent=[0-9a-f]{16};Sampled=0$`),
  );
  expect(segments).toEqual([]);
});

it("takes the first invocation of an active function by itself, and writes JSON logs of it", async () => {
  const logging = {
    group: "/aws/lambda/active",
    format: "JSON",
    applicationLevel: "INFO",
    systemLevel: "DEBUG",
  } as const;
  const spec = await bench.spec(source, { name: "active", tracing: "Active", logging });
  const { tail } = await bench.invoke(spec);
  const run = segments[1];
  const tracing = {
    spanId: run?.subsegments?.find(({ name }) => name === "Invocation")?.id,
    type: "X-Amzn-Trace-Id",
    value: `Root=${run?.trace_id};Parent=${run?.id};Sampled=1`,
  };
  const lines = (tail ?? "").trim().split("\n");
  const records = lines.map((line) => JSON.parse(line) as { type: string; record: { tracing?: object } });
  for (const type of ["platform.start", "platform.runtimeDone", "platform.report"])
    expect(records.find((each) => each.type === type)?.record.tracing).toEqual(tracing);
});

it("tells a throttle, which no environment saw", async () => {
  const spec = await bench.spec(source, { name: "stopped" });
  const { account, region, arn } = spec;
  bench.engine.configureConcurrency({ account, region, arn, reserved: 0, provisioned: [] });
  await expect(bench.invoke(spec, {}, SAMPLED)).rejects.toMatchObject({ status: 429 });
  expect(segments).toMatchObject([
    {
      origin: "AWS::Lambda",
      trace_id: ROOT,
      parent_id: PARENT,
      throttle: true,
      error: true,
      http: { response: { status: 429 } },
    },
  ]);
  expect(segments[0]).not.toHaveProperty("fault");
});
