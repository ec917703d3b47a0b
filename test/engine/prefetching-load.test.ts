// Events that are given ahead of their turn are answered as any others: each once, by whoever ran it, whatever becomes of
// the environment that they were given to.
import { randomInt } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { FunctionSpec, Invocation, ResponseSink, SegmentDocument } from "#engine/contract";
import { guestsIn } from "../lifecycle/support.ts";
import { WALLS } from "../runtime-api/support.ts";
import { until } from "../support/until.ts";
import { CALLERS, openPrefetchBench, sectionsOf } from "./prefetch-bench.ts";
import type { Answer, PrefetchBench, Ran, Watched } from "./prefetch-bench.ts";

/** How many recalls are to have met the end of what they were for. */
const SOAK = process.env["THAW_SOAK"] === "1";
const RECALLS = SOAK ? 200 : 15;
/** One is enough where time counts: `prefetching.test.ts` has the other. */
const TRIED = SOAK
  ? WALLS
  : [WALLS.find(({ walls, missing }) => walls === "bubblewrap" && missing === undefined) ?? WALLS[0]].filter(
      (each) => each !== undefined,
    );
/** What a host that is too busy for very short events is given up after. */
const ROUNDS = 10;
const BUSY = "this host is so busy that no event is short";

const numbers = (count: number, from = 0): number[] => Array.from({ length: count }, (_, n) => from + n);

for (const { walls, missing } of TRIED) {
  const title = missing === undefined ? `in ${walls}` : `in ${walls} (needs ${missing})`;
  describe.skipIf(missing !== undefined)(title, () => {
    let bench: PrefetchBench;
    const segments: SegmentDocument[] = [];

    beforeAll(async () => {
      const write = (_spec: FunctionSpec, segment: SegmentDocument): void => void segments.push(segment);
      bench = await openPrefetchBench(walls, { traces: { write } });
    });

    afterAll(async () => {
      bench.engine.retireAll();
      const ended = new Set(bench.environments.filter(({ given }) => given.length > 0).map(({ id }) => id));
      await until(() => {
        expect(bench.engine.status()).toEqual({ environments: 0, busy: 0, running: 0 });
        expect(bench.recallFiles().filter((id) => ended.has(id))).toEqual([]);
      });
      await bench.engine.close(0);
      expect([bench.recallFiles(), guestsIn(bench.host.folder), bench.host.problems]).toEqual([[], [], []]);
      await bench.close();
    });

    const linesOf = ({ name }: FunctionSpec) =>
      bench.lines.filter(({ group }) => group === `/aws/lambda/${name}`);

    /** What REPORT says of each request, in milliseconds. */
    function durationsOf(spec: FunctionSpec): Map<string, number> {
      const durations = new Map<string, number>();
      for (const [requestId, { report }] of sectionsOf(linesOf(spec)).byRequest) {
        const [, duration, billed] =
          /\tDuration: ([\d.]+) ms\tBilled Duration: (\d+) ms\t/.exec(report) ?? [];
        expect(Number(billed)).toBeGreaterThanOrEqual(Math.max(1, Number(duration)));
        durations.set(requestId, Number(duration));
      }
      return durations;
    }

    const environmentsOf = (answers: readonly Answer[]): Watched[] => {
      const requestIds = new Set(answers.map(({ requestId }) => requestId));
      return bench.environments.filter(({ given }) => given.some((requestId) => requestIds.has(requestId)));
    };

    /**
     * Each call was answered by what ran it, which said so once, in a section of its own, and nothing else was run.
     * @param failed numbers of events that were run and have failed
     * @param unrun numbers of events that have failed before they were run
     */
    function expectAllRunOnce(
      spec: FunctionSpec,
      answers: readonly Answer[],
      failed: readonly number[] = [],
      unrun: readonly number[] = [],
    ): void {
      const { byRequest, ran } = sectionsOf(linesOf(spec));
      expect(byRequest.size).toBe(bench.calls(spec));
      answers.forEach(({ requestId, payload, error }, n) => {
        if (unrun.includes(n)) return expect([n, ran.get(String(n))]).toEqual([n, undefined]);
        if (!failed.includes(n))
          expect({ n, error, payload }).toMatchObject({ error: undefined, payload: { n } });
        const [own] = byRequest.get(requestId)?.lines ?? [];
        expect(own).toMatch(new RegExp(`\\t${requestId}\\tINFO\\tran ${n}\\n$`));
        expect([n, ran.get(String(n))]).toEqual([n, 1]);
      });
    }

    /**
     * Calls a very short function from all callers at once, again and again until the first call's environment was given
     * others ahead.
     * @returns whether it was: a busy host puts that off
     */
    async function behind(
      name: string,
      first: object,
      check: (spec: FunctionSpec, answers: Promise<Answer>[], round: number) => Promise<Watched>,
      overrides?: Partial<FunctionSpec>,
    ): Promise<boolean> {
      for (let round = 0; round < ROUNDS; round++) {
        /* oxlint-disable no-await-in-loop */
        const spec = await bench.function(`${name}-${round}`, overrides);
        if (!(await bench.settle(spec))) return false;
        const calls = numbers(CALLERS).map((n) =>
          bench.call(spec, n === 0 ? { n, file: `${name}-${walls}-${round}`, ...first } : { n }),
        );
        if ((await check(spec, calls, round)).ahead.length > 0) return true;
        /* oxlint-enable no-await-in-loop */
      }
      return false;
    }

    it("answers many callers of a very short function, each event run once", async ({ skip }) => {
      const spec = await bench.function("many");
      const answers: Answer[] = [];
      const ahead = (): number =>
        environmentsOf(answers).reduce((sum, environment) => sum + environment.ahead.length, 0);
      for (let round = 0; round < 3 * ROUNDS && ahead() < 500; round++) {
        const from = answers.length;
        // oxlint-disable-next-line no-await-in-loop
        answers.push(...(await bench.load(spec, 1000, (n) => ({ n: from + n }))));
      }
      expectAllRunOnce(spec, answers);
      const durations = durationsOf(spec);
      const runs = new Map<string, number[]>();
      for (const { requestId, payload } of answers) {
        expect(durations.get(requestId)).toBeGreaterThan(0);
        const { environment, events } = payload as Ran;
        runs.set(environment, [...(runs.get(environment) ?? []), events]);
      }
      // Each process has counted its own events: it was asked for no other.
      for (const events of runs.values())
        expect(events.toSorted((a, b) => a - b)).toEqual(numbers(events.length, 1));
      skip(ahead() < 500, BUSY);
    });

    it.for(["block", "wait", "child"])(
      "answers what stands behind an event that goes on (%s) before that one, elsewhere",
      async (hold, { skip }) => {
        const given = await behind(`behind-${hold}`, { hold }, async (spec, calls, round) => {
          const answered: Answer[] = [];
          for (const call of calls) void call.then((answer) => answered.push(answer));
          const others = await Promise.all(calls.slice(1));
          expect(answered).toHaveLength(others.length);
          bench.release(`behind-${hold}-${walls}-${round}`);
          const first = (await calls[0]) as Answer;
          expectAllRunOnce(spec, [first, ...others]);
          // None is billed for the time that it stood behind the first.
          const durations = durationsOf(spec);
          const [held = 0, ...short] = [first, ...others].map(({ requestId }) => durations.get(requestId));
          for (const duration of short) expect(duration).toBeLessThan(held);
          const holding = environmentsOf([first])[0] as Watched;
          const requestIds = new Set(others.map(({ requestId }) => requestId));
          const { ahead, returned } = holding;
          // It comes upon them now.
          const behindIt = ahead.filter((requestId) => requestIds.has(requestId));
          await until(() => expect(returned.slice(-behindIt.length)).toEqual(behindIt));
          const { environment } = first.payload as Ran;
          expect(others.map(({ payload }) => (payload as Ran).environment)).not.toContain(environment);
          // The next one may come to that, or to any other.
          expect((await bench.call(spec, { n: "next" })).payload).toMatchObject({ n: "next" });
          return { ...holding, ahead: behindIt };
        });
        skip(!given, BUSY);
      },
    );

    it(`runs each once where ${RECALLS} recalls meet the end of what they are for`, async ({ skip }) => {
      const spec = await bench.function("races");
      const answers: Answer[] = [];
      const recalls = (): number =>
        bench.environments.reduce((sum, one) => sum + (mine.has(one.id) ? one.recalls : 0), 0);
      const mine = new Set<string>();
      for (let round = 0; round < 3 * RECALLS && recalls() < RECALLS; round++) {
        /* oxlint-disable no-await-in-loop */
        if (!(await bench.settle(spec))) break;
        const from = answers.length;
        const event = (n: number): object => ({ n, ...(n % 5 === 0 ? { ms: randomInt(14, 30) } : {}) });
        answers.push(...(await Promise.all(numbers(40, from).map((n) => bench.call(spec, event(n))))));
        for (const { id } of environmentsOf(answers.slice(from))) mine.add(id);
        /* oxlint-enable no-await-in-loop */
      }
      expectAllRunOnce(spec, answers);
      skip(recalls() < RECALLS, BUSY);
    });

    it.for([
      ["exit", "Runtime.ExitError", /^RequestId: \S+ Error: Runtime exited with error: exit status 3$/],
      ["kill", "Runtime.ExitError", /^RequestId: \S+ Error: Runtime exited with error: signal: killed$/],
      ["throw", "RangeError", /^thrown late$/],
      ["hang", "Sandbox.Timedout", /^RequestId: \S+ Error: Task timed out after 1\.00 seconds$/],
    ] as const)(
      "fails the event alone that ends its process (%s)",
      async ([die, errorType, errorMessage], { skip }) => {
        const timeoutMs = die === "hang" ? 1000 : 10_000;
        const given = await behind(
          `dies-${die}`,
          { die },
          async (spec, calls) => {
            const answers = await Promise.all(calls);
            const [first] = answers as [Answer];
            expect(first.error).toBe("Unhandled");
            expect(first.payload).toMatchObject({
              errorType,
              errorMessage: expect.stringMatching(errorMessage),
            });
            expectAllRunOnce(spec, answers, [0]);
            return environmentsOf([first])[0] as Watched;
          },
          { timeoutMs },
        );
        skip(!given, BUSY);
      },
    );

    it("fails no event that was given ahead for what the one before it left behind", async ({ skip }) => {
      const given = await behind("leaves", { reject: true }, async (spec, calls) => {
        const answers = await Promise.all(calls);
        const [left] = environmentsOf(answers.slice(0, 1)) as [Watched];
        const requestIds = new Set(left.ahead);
        const ahead = answers.filter(({ requestId }) => requestIds.has(requestId));
        expect(ahead.map(({ error }) => error)).toEqual(ahead.map(() => undefined));
        // One that was begun from idle meanwhile fails by the runtime's end, as in AWS.
        const unlucky = answers.findIndex(({ error }) => error !== undefined);
        if (unlucky !== -1)
          expect(answers[unlucky]).toMatchObject({
            requestId: left.given.at(-1),
            payload: {
              errorType: "Runtime.ExitError",
              errorMessage: expect.stringMatching(/ Error: Runtime exited with error: exit status 128$/),
            },
          });
        expectAllRunOnce(spec, answers, [0], [unlucky]);
        return { ...left, ahead: ahead.map(({ requestId }) => requestId) };
      });
      skip(!given, BUSY);
    });

    it("fails one event at most for each environment that is killed, and runs none twice", async () => {
      const spec = await bench.function("killed");
      await bench.settle(spec);
      let kills = 0;
      const killOne = (): void => {
        const guests = guestsIn(bench.host.folder);
        try {
          process.kill(guests[randomInt(guests.length)] ?? 0, "SIGKILL");
          kills++;
        } catch {
          // It ended by itself.
        }
      };
      const answers = await bench.load(spec, 12_000, (n) => {
        if (n % 1500 === 1300) killOne();
        return { n };
      });
      const { byRequest, ran } = sectionsOf(linesOf(spec));
      expect(byRequest.size).toBe(bench.calls(spec));
      const failed = answers.filter(({ error }) => error !== undefined);
      expect(failed.length).toBeLessThanOrEqual(kills);
      for (const { payload } of failed)
        expect(payload).toEqual({
          errorType: "Runtime.ExitError",
          errorMessage: expect.stringMatching(
            /^RequestId: \S+ Error: Runtime exited with error: signal: killed$/,
          ),
        });
      answers.forEach(({ error, payload }, n) => {
        if (error === undefined)
          expect([n, payload, ran.get(String(n))]).toEqual([n, expect.objectContaining({ n }), 1]);
        else expect(ran.get(String(n)) ?? 0).toBeLessThanOrEqual(1);
      });
    });

    it("mixes with calls of every other kind, each of which gets what is its own", async () => {
      const spec = await bench.function("mixed");
      await bench.settle(spec);
      const text = "t".repeat(10_000);
      const [streamed, traces] = [new Map<number, string>(), new Map<number, string>()];
      const kinds: readonly ((n: number) => [event: object, overrides: Partial<Invocation>])[] = [
        () => [{ text }, {}],
        () => [{}, { tail: true }],
        (n) => [{}, { sink: gather((part) => streamed.set(n, (streamed.get(n) ?? "") + part)) }],
        (n) => {
          const root = `1-5759e988-${n.toString(16).padStart(24, "0")}`;
          traces.set(n, root);
          return [{}, { traceHeader: `Root=${root};Parent=53995c3f42cd8ad8;Sampled=1` }];
        },
        () => [{ circular: true }, {}],
        (n) => [n % 40 === 5 ? { answer: 6_300_000 } : { text: text.repeat(100) }, {}],
      ];
      const kindOf = (n: number): number => (n % 20 < kinds.length ? n % 20 : kinds.length);
      const answers: Answer[] = [];
      let next = 0;
      const caller = async (): Promise<void> => {
        for (let n = next++; n < 1000; n = next++) {
          const [event, overrides] = kinds[kindOf(n)]?.(n) ?? [{}, {}];
          // oxlint-disable-next-line no-await-in-loop
          answers[n] = await bench.call(spec, { ...event, n }, overrides);
        }
      };
      await Promise.all(numbers(CALLERS).map(caller));
      const { byRequest, ran } = sectionsOf(linesOf(spec));
      expect(byRequest.size).toBe(bench.calls(spec));
      answers.forEach(({ requestId, payload, error, tail }, n) => {
        expect([n, ran.get(String(n))]).toEqual([n, 1]);
        const ids = [...(tail ?? "").matchAll(/RequestId: (\S+)|\t(\S+)\tINFO/g)].map(
          ([, id, own]) => id ?? own,
        );
        const answer = { n, payload, error, tail: ids };
        const good = { n, payload: { n }, error: undefined, tail: [] };
        switch (kindOf(n)) {
          case 0:
            return expect(answer).toMatchObject({ ...good, payload: { n, length: text.length } });
          case 1:
            return expect(answer).toMatchObject({
              ...good,
              tail: Array.from({ length: 4 }, () => requestId),
            });
          case 2:
            expect(JSON.parse(streamed.get(n) ?? "")).toMatchObject({ n });
            return expect(answer).toMatchObject({ ...good, payload: undefined });
          case 3: {
            const own = segments.filter(({ trace_id }) => trace_id === traces.get(n));
            expect(own.map(({ aws }) => aws?.["request_id"])).toContain(requestId);
            return expect(answer).toMatchObject(good);
          }
          case 4:
            return expect(answer).toMatchObject({
              n,
              error: "Unhandled",
              payload: { errorMessage: STRINGIFY },
            });
          case 5:
            return expect(answer).toMatchObject(
              n % 40 === 5
                ? { n, error: "Unhandled", payload: { errorType: "Function.ResponseSizeTooLarge" } }
                : good,
            );
          default:
            return expect(answer).toMatchObject(good);
        }
      });
    });

    it.for([1, 3])("never runs more of a function at once than are reserved for it: %i", async (reserved) => {
      const spec = await bench.function(`reserved-${reserved}`);
      await bench.settle(spec);
      const { account, region, arn } = spec;
      bench.engine.configureConcurrency({ account, region, arn, reserved, provisioned: [] });
      const untilAdmitted = async (n: number): Promise<Answer> => {
        for (;;)
          try {
            // oxlint-disable-next-line no-await-in-loop
            return await bench.call(spec, { n });
          } catch (error) {
            expect(error).toMatchObject({ code: "TooManyRequestsException" });
            // oxlint-disable-next-line no-await-in-loop
            await new Promise((resolve) => setImmediate(resolve));
          }
      };
      // Ten a second are let in for each one at once (AWS Lambda Developer Guide, "Understanding Lambda function scaling").
      const count = 20 * reserved;
      const answers: Answer[] = [];
      let next = 0;
      const caller = async (): Promise<void> => {
        // oxlint-disable-next-line no-await-in-loop
        for (let n = next++; n < count; n = next++) answers[n] = await untilAdmitted(n);
      };
      await Promise.all(numbers(2 * reserved + 1).map(caller));
      const changes = answers.flatMap(({ payload }) => {
        const [from, to] = (payload as Ran).took;
        return [
          { at: BigInt(from), by: 1 },
          { at: BigInt(to), by: -1 },
        ];
      });
      // One that ends at the same nanosecond as another begins was there before it.
      changes.sort((a, b) => (a.at === b.at ? a.by - b.by : a.at < b.at ? -1 : 1));
      let running = 0;
      const most = Math.max(...changes.map(({ by }) => (running += by)));
      expect(most).toBeLessThanOrEqual(reserved);
    });
  });
}

const STRINGIFY = "Unable to stringify response body";

function gather(take: (part: string) => void): ResponseSink {
  return {
    begin: () => undefined,
    write: async (bytes) => take(Buffer.from(bytes).toString()),
  };
}
