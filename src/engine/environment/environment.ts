import type { Clock, Timer } from "#core/clock";
import type {
  Sandbox,
  SandboxBackend,
  SandboxExit,
  SandboxListener,
  SandboxOptions,
  Specialisation,
} from "../sandbox/contract.ts";
import { encodeFrame, FRAME, FrameError, FrameParser, parseJson, splitHeaded } from "./frames.ts";
import { LineSplitter } from "./lines.ts";
import type { EnvironmentLog } from "./log.ts";

/** The phases of an execution environment (AWS Lambda Developer Guide, "Understanding the Lambda execution environment lifecycle"). */
export type Phase = "starting" | "initialising" | "idle" | "busy" | "settling" | "dead";

/** How the init phase ended. */
export type InitResult =
  | { readonly kind: "ready"; readonly environment: IdleEnvironment; readonly initMs: number }
  | { readonly kind: "error"; readonly errorType: string; readonly payload: Buffer; readonly initMs: number }
  | { readonly kind: "timeout"; readonly initMs: number }
  | { readonly kind: "exit"; readonly exit: SandboxExit; readonly initMs: number };

/** How one invocation ended. */
export type Outcome =
  | { readonly kind: "response"; readonly payload: Buffer; readonly maxRssKb: number }
  | { readonly kind: "error"; readonly payload: Buffer; readonly maxRssKb: number }
  | { readonly kind: "timeout" }
  | { readonly kind: "too-large"; readonly bytes: number | undefined }
  | { readonly kind: "exit"; readonly exit: SandboxExit };

/** One event on its way through an environment. */
export interface Job {
  readonly requestId: string;
  readonly timeoutMs: number;
  /** Called once, after all that the function wrote has been logged. The environment is idle or dead by then. */
  finished(outcome: Outcome, environment: EnvironmentView): void;
}

/** What anyone may ask of an environment in any phase. */
export interface EnvironmentView {
  readonly id: string;
  readonly specId: string;
  readonly log: EnvironmentLog;
  readonly dead: boolean;
  /** The most memory seen, in KiB. */
  readonly peakRssKb: number;
  /** Ends it, whatever it does; resolves when nothing of it is left. */
  kill(): Promise<void>;
  /** The environment as one that takes an event, where it is idle. */
  idle(): IdleEnvironment | undefined;
}

/** An environment that may be given an event: only who holds one can give it one, and giving takes it away. */
export interface IdleEnvironment extends EnvironmentView {
  /** Sends `frame`, an invoke frame of `job`. @throws Error where the environment is not idle any more */
  begin(job: Job, frame: Uint8Array): void;
}

/** A booted runtime that belongs to no function yet. */
export interface StemEnvironment {
  readonly id: string;
  readonly dead: boolean;
  /** Makes it one function's and initialises it; `onInit` tells how that went. Once. */
  adopt(options: AdoptionOptions): EnvironmentView;
  kill(): Promise<void>;
}

export interface BootOptions {
  readonly sandbox: SandboxOptions;
  readonly backend: SandboxBackend;
  readonly clock: Clock;
  /** The runtime has started and waits for its function, or goes on to load the one that adopted it meanwhile. */
  readonly onBooted?: () => void;
  /** It died, in whatever phase. */
  readonly onGone?: () => void;
}

/** What makes an environment one function's. */
export interface AdoptionOptions {
  readonly specId: string;
  readonly specialisation: Specialisation;
  readonly log: EnvironmentLog;
  /** The init frame's JSON. */
  readonly init: string;
  readonly initTimeoutMs: number;
  readonly onInit: (result: InitResult) => void;
  /** Called once, when it can serve no more. */
  readonly onDeath: (environment: EnvironmentView) => void;
}

/** Boots an environment of a runtime; it waits for its function. */
export function bootEnvironment(options: BootOptions): StemEnvironment {
  return new Environment(options);
}

class Environment implements StemEnvironment, IdleEnvironment, SandboxListener {
  readonly id: string;
  readonly #boot: BootOptions;
  readonly #clock: Clock;
  readonly #sandbox: Sandbox;
  readonly #parser = new FrameParser((type, body) => this.#frame(type, body));
  readonly #lines: readonly [LineSplitter, LineSplitter];
  #adoption: AdoptionOptions | undefined;
  /** Whether the guest has said hello, and whether its function's files are in place: then init goes out. */
  #hello = false;
  #specialised = false;
  #adoptedAt = 0;
  #phase: Phase = "starting";
  #job: Job | undefined;
  #outcome: Outcome | undefined;
  #initDone = false;
  #initError: { errorType: string; payload: Buffer } | undefined;
  /** When the job (or the init phase) is out of time, by the monotonic clock. */
  #deadline = Infinity;
  #timer: Timer | undefined;
  #peakRssKb = 0;
  #mustDie = false;
  readonly #settle = (): void => this.#settled();
  readonly #tick = (): void => this.#timerFired();

  constructor(options: BootOptions) {
    this.#boot = options;
    this.#clock = options.clock;
    this.id = options.sandbox.id;
    const line = (text: string): void => this.#adoption?.log.write(this.#clock.now(), `${text}\n`);
    this.#lines = [new LineSplitter(line), new LineSplitter(line)];
    this.#sandbox = options.backend.start(options.sandbox, this);
  }

  get specId(): string {
    return this.#adopted.specId;
  }

  get log(): EnvironmentLog {
    return this.#adopted.log;
  }

  get #adopted(): AdoptionOptions {
    if (this.#adoption === undefined) throw new Error(`environment ${this.id} belongs to no function yet`);
    return this.#adoption;
  }

  adopt(options: AdoptionOptions): EnvironmentView {
    if (this.#adoption !== undefined || this.#phase === "dead")
      throw new Error(`environment ${this.id} cannot be adopted`);
    this.#adoption = options;
    this.#adoptedAt = this.#clock.monotonic();
    this.#deadline = this.#adoptedAt + options.initTimeoutMs;
    this.#timer = this.#clock.after(options.initTimeoutMs, this.#tick);
    this.#sandbox.busy = true;
    void this.#sandbox.specialise(options.specialisation).then(() => {
      this.#specialised = true;
      this.#initialise();
    });
    return this;
  }

  get dead(): boolean {
    return this.#phase === "dead";
  }

  get peakRssKb(): number {
    return Math.max(this.#peakRssKb, this.#sandbox.peakRssKb);
  }

  idle(): IdleEnvironment | undefined {
    return this.#phase === "idle" ? this : undefined;
  }

  begin(job: Job, frame: Uint8Array): void {
    if (this.#phase !== "idle") throw new Error(`environment ${this.id} is ${this.#phase}, not idle`);
    this.#phase = "busy";
    this.#job = job;
    this.#sandbox.busy = true;
    this.#deadline = this.#clock.monotonic() + job.timeoutMs;
    // One timer outlives many invocations: it is looked at when it fires, not set and cleared for each event.
    this.#timer ??= this.#clock.after(job.timeoutMs, this.#tick);
    this.#sandbox.send(frame);
  }

  kill(): Promise<void> {
    if (this.#phase === "idle") this.#die();
    return this.#sandbox.kill();
  }

  frames(chunk: Buffer): void {
    if (this.#phase === "dead") return;
    try {
      this.#parser.push(chunk);
    } catch (error) {
      if (!(error instanceof FrameError)) throw error;
      if (error.reason === "too-large" && this.#phase === "busy")
        this.#outcome = { kind: "too-large", bytes: undefined };
      // A guest that breaks the protocol ends like one that crashed.
      void this.#sandbox.kill();
    }
  }

  output(descriptor: 1 | 2, chunk: Buffer): void {
    this.#lines[descriptor - 1]?.push(chunk);
  }

  exited(exit: SandboxExit): void {
    if (this.#phase === "dead") return;
    const phase = this.#phase;
    this.#flush();
    this.#die();
    if (phase === "busy" || phase === "settling")
      return this.#finish(this.#outcome ?? { kind: "exit", exit });
    if (this.#adoption === undefined) return;
    if (phase !== "starting" && phase !== "initialising") return;
    const initMs = this.#clock.monotonic() - this.#adoptedAt;
    this.#adoption.onInit(
      this.#initError === undefined
        ? { kind: "exit", exit, initMs }
        : { kind: "error", ...this.#initError, initMs },
    );
  }

  #frame(type: number, body: Buffer): void {
    if (type === FRAME.log) return this.#logFrame(body);
    switch (this.#phase) {
      case "starting":
        if (type !== FRAME.hello || this.#hello) break;
        this.#hello = true;
        if (this.#adoption === undefined) this.#sandbox.busy = false;
        else this.#initialise();
        return this.#boot.onBooted?.();
      case "initialising":
        if (this.#initError !== undefined || this.#initDone) break;
        if (type === FRAME.initDone) {
          // Once: a second one would settle an invocation that has begun meanwhile.
          this.#initDone = true;
          return this.#settleSoon();
        }
        if (type !== FRAME.initError) break;
        this.#initError = { errorType: errorTypeOf(body), payload: Buffer.from(body) };
        // Killed a turn later, so that what it wrote to its descriptors is read first.
        setImmediate(() => void this.#sandbox.kill());
        return;
      case "busy":
        if (type !== FRAME.response && type !== FRAME.error) break;
        return this.#answer(type, body);
      case "idle":
      case "settling":
      case "dead":
        break;
    }
    throw new FrameError("malformed", `frame ${type} while ${this.#phase}`);
  }

  #initialise(): void {
    if (!this.#hello || !this.#specialised || this.#phase !== "starting") return;
    this.#phase = "initialising";
    this.#sandbox.send(encodeFrame(FRAME.init, this.#adopted.init));
  }

  #answer(type: number, body: Buffer): void {
    const { header, bytes } = splitHeaded(body);
    const { requestId, maxRssKb, exit } = asRecord(header);
    if (requestId !== this.#job?.requestId) throw new FrameError("malformed", "an answer to another request");
    const rss = typeof maxRssKb === "number" && maxRssKb > 0 && maxRssKb < 1e9 ? maxRssKb : 0;
    if (rss > this.#peakRssKb) this.#peakRssKb = rss;
    this.#outcome = { kind: type === FRAME.response ? "response" : "error", payload: bytes, maxRssKb: rss };
    if (exit === true) this.#mustDie = true;
    this.#settleSoon();
  }

  /**
   * What the guest wrote to descriptors 1 and 2 before it answered is readable now, but may come later in this turn of
   * the event loop: a turn's check phase runs after all that was readable has been read.
   */
  #settleSoon(): void {
    if (this.#phase === "busy") this.#phase = "settling";
    setImmediate(this.#settle);
  }

  #settled(): void {
    if (this.#phase === "dead") return;
    this.#sandbox.busy = false;
    this.#flush();
    if (this.#phase === "initialising") {
      this.#timer?.cancel();
      this.#timer = undefined;
      this.#phase = "idle";
      this.#sandbox.initialised();
      const initMs = this.#clock.monotonic() - this.#adoptedAt;
      return this.#adopted.onInit({ kind: "ready", environment: this, initMs });
    }
    if (this.#phase !== "settling" || this.#outcome === undefined) return;
    this.#phase = "idle";
    if (this.#mustDie) void this.kill();
    this.#finish(this.#outcome);
  }

  #finish(outcome: Outcome): void {
    const job = this.#job;
    this.#job = undefined;
    this.#outcome = undefined;
    job?.finished(outcome, this);
  }

  #logFrame(body: Buffer): void {
    if (body.length < 8) throw new FrameError("malformed", "a log frame without its time");
    const now = this.#clock.now();
    const told = body.readUInt32BE(0) * 2 ** 32 + body.readUInt32BE(4);
    // Believed only where it is near: CloudWatch orders by it, and the guest is not trusted.
    const time = Math.abs(told - now) < 60_000 ? told : now;
    this.log.write(time, `${body.toString("utf8", 8)}\n`);
  }

  #timerFired(): void {
    this.#timer = undefined;
    if (this.#phase === "idle" || this.#phase === "settling" || this.#phase === "dead") return;
    const left = this.#deadline - this.#clock.monotonic();
    // A timer may fire a little early; a job that began after it was set has time left.
    if (left > 0.5) {
      this.#timer = this.#clock.after(Math.ceil(left), this.#tick);
      return;
    }
    const phase = this.#phase;
    this.#flush();
    this.#die();
    void this.#sandbox.kill();
    if (phase === "busy") return this.#finish({ kind: "timeout" });
    this.#adopted.onInit({ kind: "timeout", initMs: this.#clock.monotonic() - this.#adoptedAt });
  }

  #flush(): void {
    for (const lines of this.#lines) lines.flush();
  }

  #die(): void {
    this.#phase = "dead";
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#adoption?.onDeath(this);
    this.#boot.onGone?.();
  }
}

/** An error's document with its trace; what Lambda answers is no larger than a response. */
const MAX_INIT_ERROR_BYTES = 6 * 1024 * 1024;

function asRecord(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
}

function errorTypeOf(document: Buffer): string {
  if (document.length > MAX_INIT_ERROR_BYTES) throw new FrameError("malformed", "an init error is too long");
  const { errorType } = asRecord(parseJson(document.toString("utf8")));
  return typeof errorType === "string" ? errorType.slice(0, 256) : "Runtime.Unknown";
}
