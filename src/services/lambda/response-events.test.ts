import { expect, it } from "vitest";
import { ResponseEvents } from "./response-events.ts";

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
const done = { payload: new Uint8Array(0), functionError: undefined, logTail: undefined } as const;

/** Whether a promise has resolved by now. */
function watch(promise: Promise<void>): { resolved: boolean } {
  const watched = { resolved: false };
  void promise.then(() => (watched.resolved = true));
  return watched;
}

it("takes a part once the reader asks for the next, then tells the end", async () => {
  const events = new ResponseEvents();
  const begun = watch(events.begun);
  await turn();
  expect(begun.resolved).toBe(false);
  events.begin();
  await turn();
  expect(begun.resolved).toBe(true);
  const reader = events.read();
  const first = reader.next();
  const written = watch(events.write(Buffer.from("one")));
  expect(await first).toEqual({ done: false, value: { PayloadChunk: { Payload: Buffer.from("one") } } });
  await turn();
  expect(written.resolved).toBe(false);
  const second = reader.next();
  await turn();
  expect(written.resolved).toBe(true);
  events.complete({ ...done, logTail: Buffer.from("log") });
  expect(await second).toEqual({ done: false, value: { InvokeComplete: { LogResult: "bG9n" } } });
  expect(await reader.next()).toEqual({ done: true, value: undefined });
});

it("tells an error where there was no response at all", async () => {
  const events = new ResponseEvents();
  events.complete({ ...done, payload: Buffer.from('{"errorType":"X"}'), functionError: "Unhandled" });
  await events.begun;
  expect((await events.read().next()).value).toEqual({
    InvokeComplete: { ErrorCode: "Unhandled", ErrorDetails: '{"errorType":"X"}' },
  });
});

it("holds nobody back once its reader has gone", async () => {
  const events = new ResponseEvents();
  const reader = events.read();
  const first = reader.next();
  const written = watch(events.write(Buffer.from("one")));
  await first;
  await reader.return(undefined);
  await turn();
  expect(written.resolved).toBe(true);
  await events.write(Buffer.from("two"));
});

it("breaks off where the engine gives up", async () => {
  const events = new ResponseEvents();
  const next = events.read().next();
  events.fail(new Error("gone"));
  await expect(next).rejects.toThrow("gone");
  await events.write(Buffer.from("late"));
});
