import { describe, expect, it } from "vitest";
import { ManualClock } from "#core/clock";
import type { Journal } from "#storage/journal";
import type { LogSink } from "#engine/contract";
import { decodeLogRecord } from "./log-record.ts";
import { createLogSink } from "./log-sink.ts";

type Batches = Parameters<Journal["append"]>[0];

function setUp(options: { capacity?: number; append?: (batches: Batches) => Promise<void> } = {}) {
  const clock = new ManualClock();
  const batches: Batches[] = [];
  const errors: string[] = [];
  const dropped: number[] = [];
  const ensured: string[] = [];
  const sink = createLogSink({
    clock,
    journal: {
      append: async (written) => {
        await options.append?.(written);
        batches.push(written);
      },
    },
    ensureStream: async ({ group, stream }) => {
      if (stream === "refused") throw new Error("no");
      ensured.push(`${group}/${stream}`);
      return stream !== "forbidden";
    },
    onError: (error) => errors.push(error.message),
    onDropped: (lines) => dropped.push(lines),
    ...(options.capacity === undefined ? {} : { capacity: options.capacity }),
  });
  const asEngineSink: LogSink = sink;
  const write = (stream: string, message: string) =>
    asEngineSink.write({
      account: "000000000000",
      region: "us-east-1",
      group: "g",
      stream,
      time: clock.now(),
      message,
      writer: { account: "000000000000", name: "f", arn: "function", roleArn: "role" },
    });
  const messages = () =>
    batches.map((written) =>
      written.map(({ records }) => records.map(({ body }) => decodeLogRecord(body).message)),
    );
  return { clock, sink, write, messages, errors, dropped, ensured };
}

describe("createLogSink", () => {
  it("writes all streams in one append once the interval has passed, each in order", async () => {
    const { clock, sink, write, messages, ensured } = setUp();
    write("a", "1");
    write("b", "2");
    write("a", "3");
    clock.advance(99);
    expect(messages()).toEqual([]);
    clock.advance(1);
    await sink.flush();
    expect(messages()).toEqual([[["1", "3"], ["2"]]]);
    expect(ensured).toEqual(["g/a", "g/b"]);
  });

  it("lets go of the lines that may not be kept, and of no others", async () => {
    const { sink, write, messages, errors } = setUp();
    write("forbidden", "1");
    await sink.flush();
    write("forbidden", "2");
    write("a", "3");
    await sink.flush();
    expect(messages()).toEqual([[["3"]]]);
    expect(errors).toEqual([]);
  });

  it("lets lines that come during a flush wait for the next", async () => {
    const { sink, write, messages } = setUp({ append: async () => write2() });
    let once = true;
    const write2 = () => {
      if (once) write("a", "2");
      once = false;
    };
    write("a", "1");
    await sink.flush();
    await sink.flush();
    expect(messages()).toEqual([[["1"]], [["2"]]]);
  });

  it("drops lines above its capacity and says how many", async () => {
    const { sink, write, messages, errors, dropped } = setUp({ capacity: 700 });
    for (const message of ["1", "2", "3", "4"]) write("a", message);
    await sink.flush();
    expect(messages()).toEqual([
      [["1", "2", "[WARNING] 2 log lines were dropped: they came faster than the disk took them.\n"]],
    ]);
    expect(errors).toEqual(["dropped 2 log lines of g a"]);
    expect(dropped).toEqual([2]);
  });

  it("tries a failed append again", async () => {
    let fail = true;
    const { clock, sink, write, messages, errors } = setUp({
      append: async () => {
        if (fail) throw new Error("disk full");
      },
    });
    write("a", "1");
    await sink.flush();
    expect(errors).toEqual(["disk full"]);
    fail = false;
    write("a", "2");
    clock.advance(1000);
    await sink.flush();
    expect(messages()).toEqual([[["1", "2"]]]);
  });

  it("loses only the lines of a stream that cannot be made", async () => {
    const { sink, write, messages, errors } = setUp();
    write("refused", "1");
    write("a", "2");
    await sink.close();
    expect(messages()).toEqual([[["2"]]]);
    expect(errors).toEqual(["lost 1 log lines of g refused"]);
  });

  it("flushes on close and takes nothing after it", async () => {
    const { sink, write, messages } = setUp();
    write("a", "1");
    await sink.close();
    write("a", "2");
    await sink.flush();
    expect(messages()).toEqual([[["1"]]]);
  });
});
