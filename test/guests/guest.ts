// Speaks the frame protocol (guest/PROTOCOL.md) with a real interpreter, from the platform's side.
import { spawn } from "node:child_process";
import type { ChildProcess, StdioOptions } from "node:child_process";
import {
  closeSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { Readable, Writable } from "node:stream";
import { expect } from "vitest";
import { makeRecalls, recall, RECALLS_DESCRIPTOR } from "#engine/sandbox/recalls";
import { until } from "../support/until.ts";
import type { Interpreter } from "./interpreters.ts";

export const FRAME = {
  init: 0x01,
  invoke: 0x02,
  shutdown: 0x03,
  credit: 0x04,
  restore: 0x05,
  hello: 0x81,
  initDone: 0x82,
  initError: 0x83,
  response: 0x84,
  error: 0x85,
  log: 0x86,
  responseStart: 0x88,
  responseChunk: 0x89,
  responseEnd: 0x8a,
  returned: 0x8b,
  lateLog: 0x8c,
} as const;

export interface GuestFrame {
  readonly type: number;
  readonly body: Buffer;
}

/** What an error frame or an init-error frame carries, in either language's form. */
export interface ErrorDocument {
  readonly errorType: string;
  readonly errorMessage: string;
  readonly trace?: string[];
  readonly stackTrace?: string[];
  readonly requestId?: string;
}

export interface Outcome {
  readonly kind: "response" | "error" | "returned" | "exit";
  readonly header: Record<string, unknown>;
  /** The payload as it came, and, where it is JSON, parsed. */
  readonly text: string;
  readonly value: unknown;
  /** The log events since the last outcome, in order. */
  readonly logs: string[];
  /** The parts of a response that was streamed, also of one that broke off; undefined where it came whole. */
  readonly parts?: readonly Buffer[];
}

export const PREFETCHED_TIMEOUT_MS = 60_000;

/** One of several events that a guest is sent at once. */
export interface Given {
  readonly event: unknown;
  /** Its number among those given ahead, where it is one. */
  /** Its number, where it is given ahead; its time limit is PREFETCHED_TIMEOUT_MS then. */
  readonly prefetched?: number;
}

export interface Package {
  /** Contents by path below the task root. */
  readonly files?: Readonly<Record<string, string>>;
  /** A folder whose files are copied to the task root. */
  readonly folder?: string;
  readonly handler?: string;
  readonly environment?: Readonly<Record<string, string>>;
  /** Further fields of `init`. */
  readonly init?: Readonly<Record<string, unknown>>;
  /** The environment of the process before `init` comes: the platform's. */
  readonly hostEnvironment?: Readonly<Record<string, string>>;
  /** `init` comes once the guest has nothing left to do but to read it. */
  readonly late?: boolean;
}

function frame(type: number, body: Buffer): Buffer {
  const head = Buffer.alloc(5);
  head.writeUInt32BE(body.length + 1);
  head.writeUInt8(type, 4);
  return Buffer.concat([head, body]);
}

function headed(header: object, payload: Buffer): Buffer {
  const json = Buffer.from(JSON.stringify(header));
  const length = Buffer.alloc(4);
  length.writeUInt32BE(json.length);
  return Buffer.concat([length, json, payload]);
}

function split(body: Buffer): { header: Record<string, unknown>; payload: Buffer } {
  const end = 4 + body.readUInt32BE(0);
  const header = JSON.parse(body.subarray(4, end).toString()) as Record<string, unknown>;
  return { header, payload: body.subarray(end) };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

export function writeFiles(folder: string, files: Readonly<Record<string, string>>): void {
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), content);
  }
}

async function* framesOf(stream: Readable): AsyncGenerator<GuestFrame, void> {
  let chunks: Buffer[] = [];
  let have = 0;
  // What is to be there before it is worth joining the chunks: a length, then a whole frame.
  let wanted = 4;
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    chunks.push(chunk);
    have += chunk.length;
    if (have < wanted) continue;
    let bytes = Buffer.concat(chunks);
    for (;;) {
      wanted = bytes.length < 4 ? 4 : 4 + bytes.readUInt32BE(0);
      if (bytes.length < wanted || bytes.length < 4) break;
      yield { type: bytes.readUInt8(4), body: bytes.subarray(5, wanted) };
      bytes = bytes.subarray(wanted);
    }
    chunks = [bytes];
    have = bytes.length;
  }
}

/** One guest process that has read its `init`. */
export class Guest {
  readonly taskRoot: string;
  /** The file that the guest has as descriptor 9: its length says which events are recalled. */
  readonly recalls: string;
  /** What `init-done` said. */
  initDone: unknown;
  /** Undefined when `init-done` came; what the `init-error` frame held, or null where the guest ended without one. */
  initError: ErrorDocument | null | undefined;
  initLogs: string[] = [];
  hello: Record<string, unknown> = {};
  stdout = "";
  stderr = "";
  readonly #child: ChildProcess;
  readonly #frames: AsyncGenerator<GuestFrame, void>;
  readonly #exited: Promise<number | string | null>;
  #requests = 0;

  private constructor(interpreter: Interpreter, taskRoot: string, host: Readonly<Record<string, string>>) {
    this.taskRoot = taskRoot;
    this.recalls = `${taskRoot}.recalls`;
    makeRecalls(this.recalls);
    const recalls = openSync(this.recalls, "r");
    const stdio: StdioOptions = ["ignore", "pipe", "pipe", "pipe", "pipe"];
    while (stdio.length < RECALLS_DESCRIPTOR) stdio.push("ignore");
    const [command = "", ...args] = interpreter.command;
    this.#child = spawn(command, args, {
      cwd: taskRoot,
      stdio: [...stdio, recalls],
      env: { PATH: process.env["PATH"], HOME: process.env["HOME"], ...host },
    });
    closeSync(recalls);
    this.#child.stdout?.on("data", (chunk: Buffer) => (this.stdout += chunk.toString()));
    this.#child.stderr?.on("data", (chunk: Buffer) => (this.stderr += chunk.toString()));
    this.#exited = new Promise((done) => this.#child.on("close", (code, signal) => done(code ?? signal)));
    this.#input.on("error", () => {});
    this.#frames = framesOf(this.#child.stdio[4] as Readable);
  }

  /** Whether it waits in a system call whose first argument is its input: read(2), where select(2) has one more than that. */
  get #reads(): boolean {
    return readFileSync(`/proc/${this.#child.pid}/syscall`, "latin1").split(" ")[1] === "0x3";
  }

  get #input(): Writable {
    return this.#child.stdio[3] as Writable;
  }

  static async open(interpreter: Interpreter, content: Package): Promise<Guest> {
    const taskRoot = mkdtempSync(join(tmpdir(), "guest-"));
    if (content.folder !== undefined) cpSync(content.folder, taskRoot, { recursive: true });
    writeFiles(taskRoot, content.files ?? {});
    const guest = new Guest(interpreter, taskRoot, content.hostEnvironment ?? {});
    const hello = await guest.#next();
    expect(hello?.type).toBe(FRAME.hello);
    guest.hello = JSON.parse((hello as GuestFrame).body.toString()) as Record<string, unknown>;
    if (content.late === true) await until(() => expect(guest.#reads).toBe(true));
    guest.#send(FRAME.init, Buffer.from(JSON.stringify(guest.#initOf(content))));
    const { logs, end } = await guest.#until([FRAME.initDone, FRAME.initError]);
    guest.initLogs = logs;
    if (end?.type === FRAME.initDone) guest.initDone = parsed(end.body.toString());
    else guest.initError = end === undefined ? null : (JSON.parse(end.body.toString()) as ErrorDocument);
    return guest;
  }

  #initOf(content: Package): object {
    return {
      handler: content.handler ?? "index.handler",
      taskRoot: this.taskRoot,
      environment: { PATH: process.env["PATH"] ?? "", ...content.environment },
      functionName: "fn",
      functionVersion: "$LATEST",
      memoryMb: 128,
      logGroup: "/aws/lambda/fn",
      logStream: "2026/01/01/[$LATEST]0",
      logFormat: "Text",
      initType: "on-demand",
      ...content.init,
    };
  }

  /** Sends one event and waits for what became of it. @param header further fields of the invoke header */
  async invoke(event: unknown, header: Readonly<Record<string, unknown>> = {}): Promise<Outcome> {
    return this.invokeText(JSON.stringify(event), header);
  }

  async invokeText(event: string, header: Readonly<Record<string, unknown>> = {}): Promise<Outcome> {
    const { requestId, body } = this.#invocation(event, header);
    this.#send(FRAME.invoke, body);
    return this.outcome(requestId);
  }

  /**
   * Sends several events in one write, and waits for none.
   * @param ofLast how many bytes of the last one go with it: `rest` sends the others
   * @returns their request ids, in order
   */
  give(events: readonly Given[], ofLast = Infinity): { readonly requestIds: string[]; rest(): void } {
    const requestIds: string[] = [];
    const frames = events.map(({ event, prefetched }) => {
      const { requestId, body } = this.#invocation(
        JSON.stringify(event),
        prefetched === undefined ? {} : { prefetched, timeoutMs: PREFETCHED_TIMEOUT_MS },
      );
      requestIds.push(requestId);
      return frame(FRAME.invoke, body);
    });
    const last = frames.pop() ?? Buffer.alloc(0);
    this.#input.write(Buffer.concat([...frames, last.subarray(0, ofLast)]));
    return { requestIds, rest: () => void this.#input.write(last.subarray(ofLast)) };
  }

  /** Recalls the first `count` events of those given ahead. */
  recall(count: number): void {
    recall(this.recalls, count);
  }

  #invocation(event: string, header: Readonly<Record<string, unknown>>): { requestId: string; body: Buffer } {
    const requestId = `request-${++this.#requests}`;
    const fields = {
      requestId,
      deadlineMs: 4_102_444_800_000,
      invokedFunctionArn: "arn:aws:lambda:us-east-1:000000000000:function:fn",
      ...header,
    };
    return { requestId, body: headed(fields, Buffer.from(event)) };
  }

  /** Restores a guest that was initialised with `initType` `snap-start`. @param variables what has changed since */
  async restore(variables: Readonly<Record<string, string>> = {}): Promise<Outcome> {
    const requestId = `restore-${++this.#requests}`;
    const fields = { requestId, deadlineMs: 4_102_444_800_000 };
    this.#send(FRAME.restore, headed(fields, Buffer.from(JSON.stringify(variables))));
    return this.outcome(requestId);
  }

  /** Waits for what becomes of an event, which is the first of those that nothing became of yet. */
  async outcome(requestId: string): Promise<Outcome> {
    const { logs, end } = await this.#until([
      FRAME.response,
      FRAME.error,
      FRAME.responseStart,
      FRAME.returned,
    ]);
    if (end === undefined) return { kind: "exit", header: {}, text: "", value: undefined, logs };
    if (end.type === FRAME.responseStart) return this.#streamed(requestId, end, logs);
    const { header: answered, payload } = split(end.body);
    if (end.type === FRAME.returned) {
      expect(answered).toEqual({ requestId });
      return { kind: "returned", header: answered, text: payload.toString(), value: undefined, logs };
    }
    expect(answered).toMatchObject({ requestId, maxRssKb: expect.any(Number) as number });
    const text = payload.toString();
    const kind = end.type === FRAME.response ? "response" : "error";
    return { kind, header: answered, text, value: parsed(text), logs };
  }

  async #streamed(requestId: string, begin: GuestFrame, before: string[]): Promise<Outcome> {
    const { header: told } = split(begin.body);
    expect(told).toMatchObject({ requestId });
    const parts: Buffer[] = [];
    const lines = [...before];
    for (;;) {
      const { logs, end } = await this.#until([FRAME.responseChunk, FRAME.responseEnd, FRAME.error]);
      lines.push(...logs);
      if (end === undefined) return { kind: "exit", header: told, text: "", value: undefined, logs, parts };
      if (end.type === FRAME.responseChunk) {
        parts.push(end.body);
        const credit = this.reader(end.body, parts);
        if (credit > 0) this.credit(credit);
        continue;
      }
      const { header: answered, payload } = split(end.body);
      expect(answered).toMatchObject({ requestId, maxRssKb: expect.any(Number) as number });
      this.credit(0);
      const text = (end.type === FRAME.error ? payload : Buffer.concat(parts)).toString();
      const kind = end.type === FRAME.error ? "error" : "response";
      return { kind, header: { ...told, ...answered }, text, value: parsed(text), logs: lines, parts };
    }
  }

  /** Reads the parts of a streamed response; replace it to read slowly. @returns how many bytes to credit */
  reader: (part: Buffer, parts: readonly Buffer[]) => number = (part) => part.length;

  /** All log events so far that came between an event's answer and the beginning of another. */
  readonly lateLogs: string[] = [];

  /** Told of every log event as it comes. */
  onLog: (event: string) => void = () => undefined;

  /** Lets the guest send so many more bytes of its response. */
  credit(bytes: number): void {
    const body = Buffer.alloc(4);
    body.writeUInt32BE(bytes);
    this.#send(FRAME.credit, body);
  }

  /** Asks the guest to end, waits for it and removes its files. @returns its exit status or signal */
  async close(): Promise<number | string | null> {
    this.#send(FRAME.shutdown, Buffer.alloc(0));
    return this.exited();
  }

  /** Waits until the guest has ended, by itself or because its input has. */
  async exited(): Promise<number | string | null> {
    this.#input.end();
    while ((await this.#next()) !== undefined);
    const status = await this.#exited;
    rmSync(this.taskRoot, { recursive: true, force: true });
    rmSync(this.recalls, { force: true });
    return status;
  }

  #send(type: number, body: Buffer): void {
    this.#input.write(frame(type, body));
  }

  async #next(): Promise<GuestFrame | undefined> {
    const { value, done } = await this.#frames.next();
    return done === true ? undefined : value;
  }

  async #until(types: readonly number[]): Promise<{ logs: string[]; end: GuestFrame | undefined }> {
    const logs: string[] = [];
    for (;;) {
      const got = await this.#next();
      if (got === undefined || types.includes(got.type)) return { logs, end: got };
      expect([FRAME.log, FRAME.lateLog]).toContain(got.type);
      expect(Math.abs(Number(got.body.readBigUInt64BE(0)) - Date.now())).toBeLessThan(3_600_000);
      const event = got.body.subarray(8).toString();
      logs.push(event);
      if (got.type === FRAME.lateLog) this.lateLogs.push(event);
      this.onLog(event);
    }
  }
}

/** Opens a guest, hands it to `use` and ends it whatever happens. */
export async function withGuest<T>(
  interpreter: Interpreter,
  content: Package,
  use: (guest: Guest) => Promise<T>,
): Promise<T> {
  const guest = await Guest.open(interpreter, content);
  try {
    return await use(guest);
  } finally {
    await guest.exited();
  }
}
