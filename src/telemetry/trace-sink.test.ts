import { expect, it } from "vitest";
import { ManualClock } from "#core/clock";
import { createTraceSink, type TraceOwner } from "./trace-sink.ts";

const owner: TraceOwner = { account: "1", region: "r", name: "f", roleArn: "role" };

function setUp(capacity?: number) {
  const clock = new ManualClock();
  const sent: [string, readonly string[]][] = [];
  const dropped: [number, string, unknown][] = [];
  const control = { answer: (): Promise<number> => Promise.resolve(0) };
  const sink = createTraceSink({
    clock,
    send: (to, documents) => {
      sent.push([`${to.name} ${to.roleArn}`, documents]);
      return control.answer();
    },
    onDropped: (count, { name }, error) => dropped.push([count, name, error]),
    ...(capacity === undefined ? {} : { capacity }),
  });
  return { clock, sink, sent, dropped, control };
}

it("sends what comes within a second together, by function and role", async () => {
  const { clock, sink, sent } = setUp();
  sink.write(owner, { id: 1 });
  sink.write({ ...owner, roleArn: "other" }, { id: 2 });
  sink.write({ ...owner }, { id: 3 });
  clock.advance(999);
  expect(sent).toEqual([]);
  clock.advance(1);
  await sink.flush();
  expect(sent).toEqual([
    ["f role", ['{"id":1}', '{"id":3}']],
    ["f other", ['{"id":2}']],
  ]);
});

it("sends fifty at a time, one batch after the other, and what comes meanwhile at the next turn", async () => {
  const { clock, sink, sent, control } = setUp();
  let release: () => void = () => undefined;
  control.answer = () => new Promise((resolve) => (release = () => resolve(0)));
  for (let id = 0; id < 51; id++) sink.write(owner, { id });
  clock.advance(1000);
  await Promise.resolve();
  expect(sent.map(([, documents]) => documents.length)).toEqual([50]);
  sink.write(owner, { id: 51 });
  control.answer = () => Promise.resolve(0);
  release();
  await sink.close();
  expect(sent.map(([, documents]) => documents.length)).toEqual([50, 1, 1]);
});

it("tells what it drops: what is too much, what is not taken, what cannot be sent", async () => {
  const { sink, sent, dropped, control } = setUp(2);
  for (let id = 0; id < 5; id++) sink.write(owner, { id });
  control.answer = () => Promise.resolve(1);
  await sink.flush();
  expect(sent.map(([, documents]) => documents.length)).toEqual([2]);
  const error = new Error("denied");
  control.answer = () => Promise.reject(error);
  sink.write(owner, {});
  await sink.flush();
  expect(dropped).toEqual([
    [3, "f", undefined],
    [1, "f", undefined],
    [1, "f", error],
  ]);
});

it("takes nothing more once it is closed", async () => {
  const { clock, sink, sent } = setUp();
  await sink.close();
  sink.write(owner, {});
  clock.advance(5000);
  await sink.flush();
  expect(sent).toEqual([]);
});
