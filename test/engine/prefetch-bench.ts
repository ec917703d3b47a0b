// An engine that is seen giving events ahead, and a function whose events do whatever a test wants of them.
import { existsSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { FunctionSpec, Invocation, LogLine } from "#engine/contract";
import { FRAME, FrameParser, splitHeaded } from "#engine/environment/frames";
import type { EngineOptions } from "#engine/options";
import type { Sandbox, SandboxBackend } from "#engine/sandbox/contract";
import { bubblewrapHost, processHost } from "../conformance/sandbox/support.ts";
import type { Host } from "../conformance/sandbox/support.ts";
import type { Walls } from "../runtime-api/support.ts";
import { openBench } from "./support.ts";
import type { Bench } from "./support.ts";

/** Of a function that is given events ahead so many have ended since one took long (`placement/short-wait.ts`). */
const CALM_EVENTS = 1000;
export const CALLERS = 16;

/** One environment, by what crossed its walls. */
export interface Watched {
  readonly id: string;
  /** Request ids of all events that it was given, and of those that it was given ahead of their turn. */
  readonly given: string[];
  readonly ahead: string[];
  /** How often it was told of a recall. */
  recalls: number;
  /** Request ids of the events that it handed back. */
  readonly returned: string[];
}

/**
 * What it returns says which process ran it, as how manieth event. Of an event, `hold` keeps it until `release`, blocking
 * its process, waiting, or waiting for a child process; `ms` takes that long, every other one blocking; `die` ends its process;
 * `stop` stops its process (SIGSTOP) right after its answer, before it looks for another event.
 */
const SOURCE = `const fs = require("node:fs");
const { spawnSync } = require("node:child_process");
const environment = require("node:crypto").randomUUID();
const sleeper = new Int32Array(new SharedArrayBuffer(4));
const block = (ms) => Atomics.wait(sleeper, 0, 0, ms);
const later = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
let events = 0;
const hold = {
  block: (file) => { while (!fs.existsSync(file)) block(1); },
  wait: async (file) => { while (!fs.existsSync(file)) await later(2); },
  child: (file) => { spawnSync("/bin/sh", ["-c", 'while ! [ -e "$0" ]; do sleep 0.01; done', file]); },
};
const die = {
  exit: () => process.exit(3),
  throw: () => new Promise(() => setTimeout(() => { throw new RangeError("thrown late"); })),
  kill: () => new Promise(() => process.kill(process.pid, "SIGKILL")),
  hang: () => new Promise(() => setInterval(() => {}, 1000)),
};
exports.handler = async (event, context) => {
  const from = process.hrtime.bigint();
  console.log("ran", event.n);
  if (event.hold) await hold[event.hold](process.env.RELEASED + event.file);
  if (event.ms) event.n % 2 === 0 ? block(event.ms) : await later(event.ms);
  if (event.die) await die[event.die]();
  if (event.reject) Promise.reject(new RangeError("nobody waits for it"));
  if (event.circular) { event.itself = event; return event; }
  if (event.answer) return "x".repeat(event.answer);
  // Asked for when the answer is written, so that it comes before what the runtime does next.
  const toJSON = () => { setImmediate(process.kill, process.pid, "SIGSTOP"); return { pid: process.pid }; };
  if (event.stop) return { toJSON };
  const took = [String(from), String(process.hrtime.bigint())];
  return { n: event.n, environment, events: ++events, length: event.text?.length, took };
};`;

/** What the function returns. */
export interface Ran {
  readonly n: number;
  readonly environment: string;
  readonly events: number;
  readonly length?: number;
  /** When it began and ended, in nanoseconds of the host's monotonic clock. */
  readonly took: readonly [string, string];
}

export interface Answer {
  readonly requestId: string;
  readonly payload: unknown;
  readonly error: string | undefined;
  readonly tail: string | undefined;
}

export interface PrefetchBench extends Bench {
  readonly host: Host;
  readonly environments: readonly Watched[];
  /** A function with a name of its own. */
  function(name: string, overrides?: Partial<FunctionSpec>): Promise<FunctionSpec>;
  /** Calls it until it counts as very short. @returns whether it does: not on a host that is too busy */
  settle(spec: FunctionSpec): Promise<boolean>;
  /** Calls from `CALLERS` callers, each of which waits for its answer. @param event by its number, from 0 @returns the answers, by number */
  load(spec: FunctionSpec, count: number, event: (n: number) => object): Promise<Answer[]>;
  /** How often it was called, in all. */
  calls(spec: FunctionSpec): number;
  call(spec: FunctionSpec, event: object, overrides?: Partial<Invocation>): Promise<Answer>;
  /** Lets events that are held by the file's name go on, in all environments that there are. */
  release(file: string): void;
  /** The ids of environments for which there is anything on disk by which their guests are told of recalls. */
  recallFiles(): readonly string[];
}

export async function openPrefetchBench(
  walls: Walls,
  options: Partial<EngineOptions> = {},
): Promise<PrefetchBench> {
  const host = await (walls === "bubblewrap" ? bubblewrapHost() : processHost());
  const environments: Watched[] = [];
  const bench = await openBench({ backend: watching(host.backend, environments), ...options });
  const released = walls === "bubblewrap" ? "/var/task/released-" : join(host.folder, "released-");
  const calls = new Map<string, number>();
  const callsOf = ({ name }: FunctionSpec): number => calls.get(name) ?? 0;
  const call: PrefetchBench["call"] = async (spec, event, overrides = {}) => {
    calls.set(spec.name, callsOf(spec) + 1);
    const { requestId, payload, functionError, tail } = await bench.invoke(spec, event, {
      tail: false,
      ...overrides,
    });
    return { requestId, payload, error: functionError, tail };
  };
  const load: PrefetchBench["load"] = async (spec, count, event) => {
    const answers: Answer[] = [];
    let next = 0;
    const caller = async (): Promise<void> => {
      // oxlint-disable-next-line no-await-in-loop
      for (let n = next++; n < count; n = next++) answers[n] = await call(spec, event(n));
    };
    await Promise.all(Array.from({ length: CALLERS }, caller));
    return answers;
  };
  return {
    ...bench,
    host,
    environments,
    call,
    function: (name, overrides) =>
      bench.spec(
        { "index.js": SOURCE },
        // One core, so that none waits for its share of one.
        { name, environment: { RELEASED: released }, memoryMb: 1769, ...overrides },
      ),
    calls: callsOf,
    load,
    settle: async (spec) => {
      for (let tries = 0; tries < 10; tries++) {
        // oxlint-disable-next-line no-await-in-loop
        const answers = await load(spec, CALM_EVENTS + 100, () => ({ n: "short" }));
        const latest = new Set(answers.slice(-50).map(({ requestId }) => requestId));
        if (environments.some(({ ahead }) => ahead.slice(-50).some((id) => latest.has(id)))) return true;
      }
      return false;
    },
    release: (file) => {
      if (walls === "process") return writeFileSync(`${released}${file}`, "");
      const folder = join(host.folder, "sandboxes", "environments");
      for (const id of readdirSync(folder)) {
        const task = join(folder, id, "task");
        if (existsSync(task)) writeFileSync(join(task, `released-${file}`), "");
      }
    },
    recallFiles: () =>
      walls === "bubblewrap"
        ? readdirSync(join(host.folder, "sandboxes", "recalls"))
        : readdirSync(join(host.folder, "environments")),
    close: async () => {
      await bench.close();
      await host.close();
    },
  };
}

/** The back end, with a record of what its environments are given ahead, and what becomes of it. */
function watching(backend: SandboxBackend, environments: Watched[]): SandboxBackend {
  return {
    ...backend,
    start(options, listener) {
      const watched: Watched = { id: options.id, given: [], ahead: [], recalls: 0, returned: [] };
      environments.push(watched);
      const said = new FrameParser((type, body) => {
        if (type === FRAME.returned) watched.returned.push(headerOf(body).requestId);
      });
      const told = new FrameParser((type, body) => {
        if (type !== FRAME.invoke) return;
        const { requestId, prefetched } = headerOf(body);
        watched.given.push(requestId);
        if (prefetched !== undefined) watched.ahead.push(requestId);
      });
      const sandbox = backend.start(options, {
        frames: (chunk) => {
          said.push(chunk);
          listener.frames(chunk);
        },
        output: (descriptor, chunk) => listener.output(descriptor, chunk),
        exiting: () => listener.exiting(),
        exited: (exit) => listener.exited(exit),
      });
      return watchedSandbox(sandbox, watched, (bytes) => told.push(Buffer.from(bytes)));
    },
  };
}

function watchedSandbox(sandbox: Sandbox, watched: Watched, onSent: (bytes: Uint8Array) => void): Sandbox {
  return {
    id: sandbox.id,
    get peakRssKb() {
      return sandbox.peakRssKb;
    },
    get busy() {
      return sandbox.busy;
    },
    set busy(busy) {
      sandbox.busy = busy;
    },
    get connect() {
      return sandbox.connect;
    },
    get recall() {
      const { recall } = sandbox;
      if (recall === undefined) return undefined;
      return (count: number) => {
        watched.recalls++;
        return recall(count);
      };
    },
    specialise: (what) => sandbox.specialise(what),
    initialised: () => sandbox.initialised(),
    send: (bytes) => {
      onSent(bytes);
      sandbox.send(bytes);
    },
    kill: () => sandbox.kill(),
  };
}

interface Header {
  readonly requestId: string;
  readonly prefetched?: number;
}

function headerOf(body: Buffer): Header {
  return splitHeaded(body).header as Header;
}

/** The parts of a log that are requests', each from its START to its REPORT. */
export interface Sections {
  /** The lines between START and END, and REPORT, of each request. */
  readonly byRequest: ReadonlyMap<string, { readonly lines: readonly string[]; readonly report: string }>;
  /** How often the function said that it ran an event. */
  readonly ran: ReadonlyMap<string, number>;
}

/** @throws Error where START, END and REPORT of a request are not there once each and in order, with its own lines between them */
export function sectionsOf(lines: readonly LogLine[]): Sections {
  const byRequest = new Map<string, { lines: string[]; report: string }>();
  const ran = new Map<string, number>();
  const open = new Map<string, { id: string; lines: string[]; ended: boolean }>();
  const latest = new Map<string, string[]>();
  for (const { stream, message } of lines) {
    const before = latest.get(stream) ?? [];
    latest.set(stream, [...before.slice(-9), message]);
    const wrong = (what: string): Error => new Error(`${what}: ${[...before, message].join("")}`);
    const [, kind, id = ""] = /^(START|END|REPORT) RequestId: (\S+)/.exec(message) ?? [];
    const section = open.get(stream);
    if (kind === "START") {
      if (section !== undefined || byRequest.has(id)) throw wrong("out of turn, or again");
      open.set(stream, { id, lines: [], ended: false });
      byRequest.set(id, { lines: [], report: "" });
    } else if (kind === undefined) {
      const [, own, n] = /^\S+\t(\S+)\tINFO\tran (.*)\n$/.exec(message) ?? [];
      if (n !== undefined) ran.set(n, (ran.get(n) ?? 0) + 1);
      if (own !== undefined && (section?.id !== own || section.ended)) throw wrong("in another's section");
      section?.lines.push(message);
    } else {
      if (section?.id !== id || section.ended !== (kind === "REPORT")) throw wrong("out of turn");
      section.ended = true;
      if (kind === "END") continue;
      open.delete(stream);
      byRequest.set(id, { lines: section.lines, report: message });
    }
  }
  for (const { id } of open.values()) throw new Error(`never over: ${id}`);
  return { byRequest, ran };
}
