import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { ManualClock } from "#core/clock";
import { FRAME, FrameParser, splitHeaded } from "#engine/environment/frames";
import { works } from "../support/tools.ts";
import { until } from "../support/until.ts";
import { FakeBackend } from "./fake-sandbox.ts";
import type { FakeSandbox } from "./fake-sandbox.ts";
import { headed, hello, initDone, response } from "./guest-frames.ts";
import { openBench } from "./support.ts";
import type { Bench } from "./support.ts";

/** What its guest was sent last. */
function lastOf(sandbox: FakeSandbox): { type: number; requestId: string } | undefined {
  let last: { type: number; requestId: string } | undefined;
  const parser = new FrameParser((type, body) => {
    const asked = type === FRAME.invoke || type === FRAME.restore;
    const requestId = asked ? (splitHeaded(body).header as { requestId: string }).requestId : "";
    last = { type, requestId };
  });
  for (const bytes of sandbox.sent) parser.push(bytes);
  return last;
}

let clock: ManualClock;
let backend: FakeBackend;
let bench: Bench;
beforeEach(async () => {
  clock = new ManualClock();
  backend = new FakeBackend();
  bench = await openBench({ backend, clock, maxStems: 0 });
});
afterEach(() => bench.close());

/** The environment that was started as the nth, once its guest was asked for its init. */
async function initialising(n: number): Promise<FakeSandbox> {
  await until(() => expect(backend.started[n]).toBeDefined());
  const sandbox = backend.started[n] as FakeSandbox;
  sandbox.listener.frames(hello);
  await until(() => expect(lastOf(sandbox)?.type).toBe(FRAME.init));
  return sandbox;
}

/** The guest is asked for something, by the id that it has. */
async function asked(sandbox: FakeSandbox, type: number): Promise<string> {
  await until(() => expect(lastOf(sandbox)?.type).toBe(type));
  return lastOf(sandbox)?.requestId ?? "";
}

describe("the init phase", () => {
  it("has ten seconds, and is repeated within the invocation, which lasts no longer than its timeout", async () => {
    const spec = await bench.spec({ "index.js": "" }, { timeoutMs: 3000 });
    const answer = bench.invoke(spec);
    const first = await initialising(0);
    clock.advance(10_000);
    await until(() => expect(first.kills).toBe(1));
    const second = await initialising(1);
    // A platform that is busy looks a little late.
    clock.advance(3004);
    await until(() => expect(second.kills).toBe(1));
    const { payload, tail } = await answer;
    expect(payload).toMatchObject({ errorType: "Sandbox.Timedout" });
    expect(tail).toContain("INIT_REPORT Init Duration: 3004.00 ms\tPhase: invoke\tStatus: timeout\n");
    expect(tail).toContain("\tDuration: 3000.00 ms\tBilled Duration: 3000 ms\t");
  });

  it("that is ended for its memory is told as that, in the words of any other end", async () => {
    const spec = await bench.spec({ "index.js": "" });
    const answer = bench.invoke(spec);
    for (const n of [0, 1]) {
      // oxlint-disable-next-line no-await-in-loop
      const sandbox = await initialising(n);
      sandbox.exit({ signal: "SIGKILL", cause: "memory" });
    }
    const { payload, tail, requestId } = await answer;
    expect(payload).toMatchObject({ errorType: "Runtime.ExitError" });
    expect(tail).toMatch(/^INIT_REPORT .*\tPhase: invoke\tStatus: error\tError Type: Runtime\.OutOfMemory\n/);
    // As of an end during an event: REPORT alone tells the two apart.
    expect(tail).toContain(
      `RequestId: ${requestId} Error: Runtime exited with error: signal: killed\nRuntime.ExitError\n`,
    );
    expect(tail).toMatch(/\tStatus: error\tError Type: Runtime\.OutOfMemory\t\n$/);
  });

  it.skipIf(!works("python3.11", "--version"))(
    "has the time of a snapshot's where SnapStart has none ready, and the invocation its own after it",
    async () => {
      const snapStart = { runtime: "python3.11", version: "1", snapStart: true, timeoutMs: 3000 } as const;
      const answer = bench.invoke(await bench.spec({ "index.py": "" }, snapStart));
      const sandbox = await initialising(0);
      clock.advance(129_000);
      sandbox.listener.frames(initDone());
      sandbox.listener.frames(headed(FRAME.response, { requestId: await asked(sandbox, FRAME.restore) }));
      const requestId = await asked(sandbox, FRAME.invoke);
      clock.advance(2900);
      sandbox.listener.frames(response(requestId));
      const { functionError, tail } = await answer;
      expect(functionError).toBeUndefined();
      expect(tail).toMatch(/\tInit Duration: 129000\.00 ms\tRestore Duration: 0\.00 ms\t/);
    },
  );

  it.skipIf(!works("python3.11", "--version")).each([
    ["by itself", "SnapStartException", () => undefined],
    ["with the platform", "ServiceException", () => bench.engine.close(0)],
  ])("fails an invocation whose environment ends %s while it is restored", async (_, code, first) => {
    const snapStart = { runtime: "python3.11", version: "1", snapStart: true } as const;
    const answer = bench.invoke(await bench.spec({ "index.py": "" }, snapStart));
    const refused = expect(answer).rejects.toMatchObject({ code });
    const sandbox = await initialising(0);
    sandbox.listener.frames(initDone());
    await asked(sandbox, FRAME.restore);
    void first();
    // The engine ends what runs in a turn of its own.
    await new Promise((resolve) => setImmediate(resolve));
    sandbox.exit({ signal: "SIGKILL" });
    await refused;
    expect(bench.engine.status()).toEqual({ environments: 0, busy: 0, running: 0 });
  });
});
