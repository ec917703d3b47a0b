import { describe, expect, it } from "vitest";
import { ManualClock } from "#core/clock";
import { systemIds } from "#core/ids";
import type { FunctionSpec, Invocation, LooseSubsegment, SegmentDocument } from "../contract.ts";
import { Sampler } from "./sampler.ts";
import { headerForRetry } from "./trace-header.ts";
import { TraceIds } from "./trace.ts";
import { Tracer } from "./tracing.ts";

const NOW = Date.UTC(2026, 0, 1);
const ROOT = "1-5759e988-bd862e3fe1be46a994272793";
const PARENT = "53995c3f42cd8ad8";
const ARN = "arn:aws:lambda:us-east-1:000000000000:function:f";
const SEGMENT_ID = expect.stringMatching(/^[0-9a-f]{16}$/);

function setUp() {
  const clock = new ManualClock(NOW);
  const segments: (SegmentDocument & Partial<LooseSubsegment>)[] = [];
  const tracer = new Tracer({
    clock,
    ids: new TraceIds(clock, systemIds),
    sink: { write: (_spec, segment) => segments.push(segment as SegmentDocument) },
    random: () => 0.5,
  });
  const trace = (
    traceHeader: string | undefined,
    tracing: FunctionSpec["tracing"] = "Active",
    more: Partial<Invocation> = {},
  ) =>
    tracer.trace({
      spec: { name: "f", arn: ARN, account: "000000000000", tracing },
      requestId: "the-request",
      traceHeader,
      ...more,
    } as Invocation);
  return { clock, segments, trace };
}

describe("the sampler", () => {
  it("takes each function's first request of a second, and one of twenty of the others", () => {
    const clock = new ManualClock(NOW);
    let drawn = 0;
    const sampler = new Sampler(clock, () => drawn);
    const take = (name: string, random: number) => {
      drawn = random;
      return sampler.takes(name);
    };
    expect([take("a", 0.9), take("a", 0.05), take("a", 0.0499), take("b", 0.9), take("b", 0.9)]).toEqual([
      true,
      false,
      true,
      true,
      false,
    ]);
    clock.advance(999);
    expect(take("a", 0.9)).toBe(false);
    clock.advance(1);
    expect([take("a", 0.9), take("a", 0.9)]).toEqual([true, false]);
  });
});

describe("what is traced", () => {
  it.each([
    ["PassThrough", undefined, false],
    ["PassThrough", `Root=${ROOT}`, false],
    ["PassThrough", `Root=${ROOT};Sampled=0`, false],
    ["PassThrough", `Root=${ROOT};Sampled=1`, true],
    ["Active", undefined, true],
    ["Active", `Root=${ROOT}`, true],
    ["Active", `Root=${ROOT};Sampled=?`, true],
    ["Active", `Root=${ROOT};Sampled=0`, false],
  ] as const)("%s with %s: %s", (tracing, header, expected) => {
    expect(setUp().trace(header, tracing) !== undefined).toBe(expected);
  });

  it("does not count what callers have decided", () => {
    const { trace } = setUp();
    for (const sampled of [0, 1, 1]) trace(`Root=${ROOT};Sampled=${sampled}`);
    expect([trace(undefined) !== undefined, trace(undefined) !== undefined]).toEqual([true, false]);
  });
});

describe("the segments of an invocation", () => {
  it("hang under its caller's, and what the function does under its own", () => {
    const { clock, segments, trace } = setUp();
    const traced = trace(`Root=${ROOT};Parent=${PARENT};Sampled=1;Lineage=1:a:1`);
    clock.advance(200);
    traced?.begun(clock.now());
    clock.advance(50);
    traced?.answered();
    clock.advance(5);
    traced?.ended({ payload: Buffer.from("{}"), failed: false, initMs: 150, restoreMs: undefined });
    const [service, run] = segments;
    const seconds = (ms: number) => (NOW + ms) / 1000;
    expect(service).toEqual({
      id: SEGMENT_ID,
      name: "f",
      start_time: seconds(0),
      end_time: seconds(255),
      trace_id: ROOT,
      parent_id: PARENT,
      http: { response: { status: 200 } },
      aws: { request_id: "the-request" },
      origin: "AWS::Lambda",
      resource_arn: ARN,
    });
    const part = (name: string, from: number, to: number) => ({
      id: SEGMENT_ID,
      name,
      start_time: seconds(from),
      end_time: seconds(to),
      aws: { function_arn: ARN },
    });
    expect(run).toEqual({
      id: traced?.segmentId,
      name: "f",
      start_time: seconds(50),
      end_time: seconds(255),
      trace_id: ROOT,
      parent_id: service?.id,
      aws: { account_id: "000000000000", function_arn: ARN, resource_names: ["f"] },
      origin: "AWS::Lambda::Function",
      subsegments: [
        part("Initialization", 50, 200),
        { ...part("Invocation", 200, 250), id: traced?.spanId },
        part("Overhead", 250, 255),
      ],
    });
    expect(traced?.header).toBe(`Root=${ROOT};Parent=${run?.id};Sampled=1;Lineage=1:a:1`);
  });

  it("tell of an init and of the restore that follows it, one after the other", () => {
    const { clock, segments, trace } = setUp();
    const traced = trace(undefined);
    clock.advance(200);
    traced?.begun(clock.now());
    traced?.ended({ payload: Buffer.from("{}"), failed: false, initMs: 150, restoreMs: 30 });
    const seconds = (ms: number) => (NOW + ms) / 1000;
    expect(segments[1]).toMatchObject({
      start_time: seconds(20),
      subsegments: [
        { name: "Initialization", start_time: seconds(20), end_time: seconds(170) },
        { name: "Restore", start_time: seconds(170), end_time: seconds(200) },
        { name: "Invocation", start_time: seconds(200) },
        { name: "Overhead" },
      ],
    });
  });

  it("of a trace without an id get one, and no parent that belongs to no trace", () => {
    const { segments, trace } = setUp();
    const traced = trace(`Parent=${PARENT};Sampled=1`);
    traced?.refused(429);
    expect(segments).toEqual([
      {
        id: SEGMENT_ID,
        name: "f",
        start_time: NOW / 1000,
        end_time: NOW / 1000,
        trace_id: expect.stringMatching(/^1-6955b900-[0-9a-f]{24}$/),
        http: { response: { status: 429 } },
        aws: { request_id: "the-request" },
        error: true,
        throttle: true,
        origin: "AWS::Lambda",
        resource_arn: ARN,
      },
    ]);
    trace(undefined, "Active")?.refused(502);
    expect(segments[1]).toMatchObject({ fault: true, http: { response: { status: 502 } } });
    expect(segments[1]).not.toHaveProperty("error");
  });

  it.each([
    ['{"errorType":"E","errorMessage":"no"}', "E", "no"],
    ['{"errorType":1}', "Unhandled", ""],
    ["null", "Unhandled", ""],
    ["{", "Unhandled", ""],
    [
      JSON.stringify({ errorType: "x".repeat(9000), errorMessage: "y".repeat(9000) }),
      "x".repeat(256),
      "y".repeat(4096),
    ],
  ])("tell what a function failed with: %.40s", (payload, type, message) => {
    const { segments, trace } = setUp();
    const traced = trace(undefined);
    traced?.begun(NOW);
    traced?.ended({ payload: Buffer.from(payload), failed: true, initMs: undefined, restoreMs: undefined });
    const cause = { exceptions: [{ id: SEGMENT_ID, type, message }] };
    expect(segments).toMatchObject([
      { fault: true, http: { response: { status: 200 } } },
      {
        fault: true,
        cause,
        subsegments: [{ name: "Invocation", fault: true, cause }, { name: "Overhead" }],
      },
    ]);
    expect(segments[1]?.subsegments?.[1]).not.toHaveProperty("fault");
  });

  it("of an asynchronous event are one for its acceptance, with each try in it", () => {
    const { clock, segments, trace } = setUp();
    const run = (attempt: number, failed: boolean, header: string | undefined) => {
      const traced = trace(header, "Active", { accepted: { at: NOW, attempt } });
      traced?.begun(clock.now());
      clock.advance(20);
      const payload = Buffer.from('{"errorType":"E"}');
      traced?.ended({ payload, failed, initMs: undefined, restoreMs: undefined });
      return traced?.header ?? "";
    };
    clock.advance(100);
    const ran = run(1, true, undefined);
    clock.advance(60_000);
    run(2, false, headerForRetry(undefined, ran));
    const [first, waited, attempt, run1, second, attempt2, run2] = segments;
    expect(segments).toHaveLength(7);
    const status = (code: number) => ({ response: { status: code } });
    const start = NOW / 1000;
    expect(first).toMatchObject({ origin: "AWS::Lambda", http: status(202), start_time: start });
    expect(first).not.toHaveProperty("fault");
    expect(second).toEqual({ ...first, end_time: start + 60.14 });
    const within = { type: "subsegment", parent_id: first?.id, trace_id: first?.trace_id };
    expect(waited).toMatchObject({ ...within, name: "Dwell Time", start_time: start, end_time: start + 0.1 });
    expect(attempt).toMatchObject({ ...within, name: "Attempt #1", http: status(200), fault: true });
    expect(attempt2).toMatchObject({ ...within, name: "Attempt #2", http: status(200) });
    expect(attempt2).not.toHaveProperty("fault");
    expect([run1?.parent_id, run2?.parent_id]).toEqual([attempt?.id, attempt2?.id]);
  });

  it("of an event that is tried again without having run are not there", () => {
    const { segments, trace } = setUp();
    trace(undefined, "Active", { accepted: { at: NOW, attempt: 1 } })?.refused(429);
    expect(segments).toEqual([]);
  });

  it("name the traces that the function's is linked to", () => {
    const { segments, trace } = setUp();
    const traceLinks = [{ trace_id: ROOT, id: PARENT }];
    const traced = trace("Sampled=1", "PassThrough", { traceLinks });
    traced?.ended({ payload: Buffer.from("{}"), failed: false, initMs: undefined, restoreMs: undefined });
    expect(segments.map(({ links }) => links)).toEqual([undefined, traceLinks]);
    expect(segments[1]?.trace_id).not.toBe(ROOT);
  });

  it("tell of an init that failed within it, which no invocation followed", () => {
    const { clock, segments, trace } = setUp();
    const traced = trace(undefined);
    clock.advance(30);
    const payload = Buffer.from('{"errorType":"Runtime.ImportModuleError"}');
    traced?.ended({ payload, failed: true, initMs: undefined, restoreMs: undefined, failedInitMs: 20 });
    expect(segments[1]).toMatchObject({
      start_time: (NOW + 10) / 1000,
      fault: true,
      subsegments: [{ name: "Initialization", fault: true }],
    });
  });
});
