import { constants } from "node:os";
import type { Clock, Timer } from "#core/clock";
import type { Ids } from "#core/ids";
import { handleRequest } from "../runtime-api/api.ts";
import type { ApiParts } from "../runtime-api/api.ts";
import { Extensions } from "../runtime-api/extensions.ts";
import type { ExtensionView, FunctionIdentity, ShutdownReason } from "../runtime-api/extensions.ts";
import { LaunchedChannel } from "../runtime-api/launch.ts";
import type { LaunchPlan } from "../runtime-api/launch.ts";
import { Runtime } from "../runtime-api/runtime.ts";
import { ShutdownPhase } from "../runtime-api/shutdown.ts";
import { TelemetryHub } from "../runtime-api/telemetry/hub.ts";
import type { HubOptions } from "../runtime-api/telemetry/hub.ts";
import type {
  RuntimeApiListener,
  Sandbox,
  SandboxBackend,
  SandboxExit,
  SandboxListener,
  SandboxOptions,
  Specialisation,
} from "../sandbox/contract.ts";
import type { Answer, Channel, ChannelListener, GuestEvent, InitError } from "./channel.ts";
import { FrameChannel } from "./frame-channel.ts";
import { FrameError, FrameParser } from "./frames.ts";
import { LineSplitter } from "./lines.ts";
import type { EnvironmentLog } from "./log.ts";

/** The phases of an execution environment (AWS Lambda Developer Guide, "Understanding the Lambda execution environment lifecycle"). */
export type Phase = "starting" | "initialising" | "idle" | "busy" | "settling" | "dead";

/** How the init phase ended. */
export type InitResult =
  | { readonly kind: "ready"; readonly environment: IdleEnvironment; readonly initMs: number }
  | { readonly kind: "error"; readonly errorType: string; readonly payload: Buffer; readonly initMs: number }
  | { readonly kind: "timeout"; readonly initMs: number }
  | { readonly kind: "failed"; readonly failure: Failure; readonly initMs: number }
  | { readonly kind: "exit"; readonly exit: SandboxExit; readonly initMs: number };

/** What ended an environment other than its runtime: an extension, or an entry point that cannot be run. */
export interface Failure {
  readonly errorType: string;
  /** Without request id, such as `exit status 1`. */
  readonly message: string;
}

/** How one invocation ended. */
export type Outcome =
  | Answer
  | { readonly kind: "timeout" }
  | { readonly kind: "failed"; readonly failure: Failure }
  | { readonly kind: "exit"; readonly exit: SandboxExit };

/** One event on its way through an environment. */
export interface Job {
  readonly requestId: string;
  readonly timeoutMs: number;
  /**
   * Called at most once, where the function's answer is there but its runtime or an extension still works: the caller need
   * not wait for them (AWS Compute Blog, "AWS Lambda Extensions: general availability").
   */
  responded?(answer: Answer): void;
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
  /** Sends the event of `job`. @throws Error where the environment is not idle any more */
  begin(job: Job, event: GuestEvent): void;
}

/** A booted runtime that belongs to no function yet. */
export interface StemEnvironment {
  readonly id: string;
  readonly dead: boolean;
  /** Makes it one function's and initialises it; `onInit` tells how that went. Once. */
  adopt(options: AdoptionOptions): EnvironmentView;
  kill(): Promise<void>;
}

/** How a guest is spoken to. */
export interface GuestProtocol {
  /** Its first process is guest/launcher, which starts the runtime once the function's files are in place. */
  readonly launched: boolean;
  readonly runtime: "frames" | "http";
}

export interface BootOptions {
  readonly sandbox: SandboxOptions;
  readonly backend: SandboxBackend;
  readonly clock: Clock;
  /** Default: its first process is the runtime and speaks frames. */
  readonly protocol?: GuestProtocol;
  /** Opens an HTTP API for it (Runtime, Extensions, Logs, Telemetry), whose ids come from here. */
  readonly runtimeApi?: Pick<Ids, "uuid">;
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
  /** Makes the init frame's JSON. @param runtimeApi AWS_LAMBDA_RUNTIME_API, where there is one */
  readonly init: (runtimeApi: string | undefined) => string;
  /** For a guest that is launched: what its launcher starts. */
  readonly launch?: (runtimeApi: string | undefined) => LaunchPlan;
  /** For a guest with an HTTP API: what that says of the function. */
  readonly api?: ApiOptions;
  readonly initTimeoutMs: number;
  readonly onInit: (result: InitResult) => void;
  /** Called once, when it can serve no more. */
  readonly onDeath: (environment: EnvironmentView) => void;
}

export interface ApiOptions {
  readonly identity: FunctionIdentity;
  /** File names of the external extensions, in the launch plan's order. */
  readonly extensions: readonly string[];
  readonly initializationType: string;
  /** An extension is ready, or will not be. */
  readonly onExtension: (extension: ExtensionView, errorType: string | undefined) => void;
  readonly onSubscribed: HubOptions["onSubscribed"];
}

/** Answers are given to a caller so long after they came, where the environment is not done by then. */
const RESPOND_EARLY_MS = 20;

const FRAMES: GuestProtocol = { launched: false, runtime: "frames" };

/** Boots an environment of a runtime; it waits for its function. */
export function bootEnvironment(options: BootOptions): StemEnvironment {
  return new Environment(options);
}

class Environment implements StemEnvironment, IdleEnvironment, SandboxListener, ChannelListener {
  readonly id: string;
  readonly #boot: BootOptions;
  readonly #clock: Clock;
  readonly #channel: Channel;
  readonly #launcher: LaunchedChannel | undefined;
  readonly #parser = new FrameParser((type, body) => this.#channel.frame(type, body));
  readonly #lines: readonly [LineSplitter, LineSplitter];
  /** Undefined until its Runtime API is open. */
  #sandbox: Sandbox | undefined;
  #listener: RuntimeApiListener | undefined;
  #api: ApiParts | undefined;
  #adoption: AdoptionOptions | undefined;
  /** Whether the guest has said hello, and whether its function's files are in place: then init goes out. */
  #hello = false;
  #specialised = false;
  #adoptedAt = 0;
  #phase: Phase = "starting";
  #job: Job | undefined;
  #begunAt = 0;
  #outcome: Outcome | undefined;
  /** The runtime's part of the phase is over; that of the extensions may not be. */
  #runtimeDone = false;
  #initFailed = false;
  /** When the job (or the init phase) is out of time, by the monotonic clock. */
  #deadline = Infinity;
  #timer: Timer | undefined;
  #early: Timer | undefined;
  #peakRssKb = 0;
  #mustDie = false;
  #shutdown: ShutdownPhase | undefined;
  #ending: Promise<void> | undefined;
  readonly #settle = (): void => this.#settled();
  readonly #tick = (): void => this.#timerFired();

  constructor(options: BootOptions) {
    this.#boot = options;
    this.#clock = options.clock;
    this.id = options.sandbox.id;
    const { launched, runtime } = options.protocol ?? FRAMES;
    const send = (bytes: Uint8Array): void => this.#sandbox?.send(bytes);
    const frames = (): Channel =>
      new FrameChannel(this, send, () => this.#adopted.init(this.#listener?.address));
    if (launched)
      this.#launcher = new LaunchedChannel(
        this,
        send,
        () => this.#launchPlan(),
        runtime === "frames" ? frames() : undefined,
        (event) => this.#api?.runtime?.invoke(event),
      );
    this.#channel = this.#launcher ?? frames();
    // The launcher sends what extensions write to descriptor 2, and all that the runtime writes to 1.
    const line = (type: "function" | "extension") => (text: string) => this.#line(type, text);
    this.#lines = [
      new LineSplitter(line("function")),
      new LineSplitter(line(launched ? "extension" : "function")),
    ];
    if (options.runtimeApi === undefined) this.#start();
    else void this.#openApi();
  }

  get specId(): string {
    return this.#adopted.specId;
  }

  get log(): EnvironmentLog {
    return this.#adopted.log;
  }

  get dead(): boolean {
    return this.#phase === "dead";
  }

  get peakRssKb(): number {
    return Math.max(this.#peakRssKb, this.#sandbox?.peakRssKb ?? 0);
  }

  idle(): IdleEnvironment | undefined {
    return this.#phase === "idle" ? this : undefined;
  }

  adopt(options: AdoptionOptions): EnvironmentView {
    if (this.#adoption !== undefined || this.#phase === "dead")
      throw new Error(`environment ${this.id} cannot be adopted`);
    this.#adoption = options;
    this.#adoptedAt = this.#clock.monotonic();
    this.#deadline = this.#adoptedAt + options.initTimeoutMs;
    this.#timer = this.#clock.after(options.initTimeoutMs, this.#tick);
    if (options.api !== undefined && this.#boot.runtimeApi !== undefined)
      this.#api = this.#apiParts(options.api, this.#boot.runtimeApi);
    options.log.observe(this.#api?.telemetry);
    this.#specialise();
    return this;
  }

  begin(job: Job, event: GuestEvent): void {
    if (this.#phase !== "idle") throw new Error(`environment ${this.id} is ${this.#phase}, not idle`);
    this.#phase = "busy";
    this.#job = job;
    this.#setBusy(true);
    this.#begunAt = this.#clock.monotonic();
    this.#deadline = this.#begunAt + job.timeoutMs;
    // One timer outlives many invocations: it is looked at when it fires, not set and cleared for each event.
    this.#timer ??= this.#clock.after(job.timeoutMs, this.#tick);
    this.#runtimeDone = false;
    this.#api?.extensions.invoke(event);
    this.#channel.invoke(event);
  }

  kill(): Promise<void> {
    if (this.#phase !== "idle") return this.#end(undefined);
    this.#die();
    return this.#end("spindown");
  }

  // What the sandbox tells.

  frames(chunk: Buffer): void {
    if (this.#phase === "dead" && this.#shutdown === undefined) return;
    try {
      this.#parser.push(chunk);
    } catch (error) {
      if (!(error instanceof FrameError)) throw error;
      if (error.reason === "too-large" && this.#phase === "busy")
        this.#outcome = { kind: "too-large", bytes: undefined };
      // A guest that breaks the protocol ends like one that crashed.
      void this.#end(undefined);
    }
  }

  output(descriptor: 1 | 2, chunk: Buffer): void {
    this.#lines[descriptor - 1]?.push(chunk);
  }

  exited(exit: SandboxExit): void {
    this.#listener?.close();
    this.#api?.telemetry.close();
    this.#shutdown?.cut();
    if (this.#phase !== "dead") this.#ended({ kind: "exit", exit });
  }

  // What the guest tells.

  booted(): void {
    if (this.#phase === "dead") return;
    this.#expect(this.#phase === "starting" && !this.#hello, "hello");
    this.#hello = true;
    this.#boot.onBooted?.();
    if (this.#adoption !== undefined) return this.#initialise();
    this.#setBusy(false);
  }

  initialised(): void {
    if (this.#phase === "dead") return;
    // Once: a second one would settle an invocation that has begun meanwhile.
    this.#expect(
      this.#phase === "initialising" && !this.#initFailed && !this.#runtimeDone,
      "the end of init",
    );
    this.#runtimeDone = true;
    this.#api?.telemetry.platform(this.#clock.now(), "initRuntimeDone", {
      initializationType: this.#adoption?.api?.initializationType,
      phase: "init",
      status: "success",
    });
    this.#progress();
  }

  initFailed(error: InitError): void {
    if (this.#phase === "dead") return;
    this.#expect(this.#phase === "initialising" && !this.#initFailed && !this.#runtimeDone, "an init error");
    this.#initFailed = true;
    // A turn later, so that what it wrote to its descriptors is read first.
    setImmediate(() => {
      if (this.#phase === "dead") return;
      this.#flush();
      this.#die();
      void this.#end("failure");
      this.#adopted.onInit({ kind: "error", ...error, initMs: this.#initMs() });
    });
  }

  answered(requestId: string, answer: Answer, last: boolean): void {
    if (this.#phase === "dead") return;
    this.#expect(this.#phase === "busy" && this.#outcome === undefined, "an answer");
    this.#expect(requestId === this.#job?.requestId, "an answer to another request");
    if (answer.kind !== "too-large" && answer.maxRssKb > this.#peakRssKb) this.#peakRssKb = answer.maxRssKb;
    this.#outcome = answer;
    if (last) this.#mustDie = true;
    if (this.#api !== undefined)
      this.#early = this.#clock.after(RESPOND_EARLY_MS, () => this.#job?.responded?.(answer));
  }

  waiting(): void {
    if (this.#phase !== "busy") return;
    this.#runtimeDone = true;
    this.#tellRuntimeDone(this.#outcome?.kind === "response" ? "success" : "error");
    this.#progress();
  }

  logged(told: number, message: string): void {
    const now = this.#clock.now();
    // Believed only where it is near: CloudWatch orders by it, and the guest is not trusted.
    const time = Math.abs(told - now) < 60_000 ? told : now;
    this.log.write(time, `${message}\n`);
    this.#api?.telemetry.line("function", time, `${message}\n`);
  }

  processEnded(process: number | "runtime", status: number): void {
    if (this.#shutdown !== undefined) return this.#shutdown.processEnded(process);
    if (this.#phase === "dead") return;
    const extension = process === "runtime" ? undefined : this.#api?.extensions.view(process);
    // A turn later, so that what it wrote to its descriptors is read first.
    setImmediate(() => {
      if (this.#phase === "dead") return;
      if (extension === undefined) this.#ended({ kind: "exit", exit: exitOf(status) });
      else this.#ended({ kind: "failed", failure: extensionFailure(extension, status) });
      void this.#end("failure", process === "runtime");
    });
  }

  // How it goes from phase to phase.

  async #openApi(): Promise<void> {
    try {
      this.#listener = await this.#boot.backend.openRuntimeApi(this.id, (request, response) =>
        handleRequest(this.#api, request, response),
      );
    } catch (error) {
      this.exited({ ...exitOf(0), status: undefined, error: error as Error });
      return;
    }
    if (this.#phase === "dead") this.#listener.close();
    else this.#start();
  }

  #start(): void {
    const { backend, sandbox } = this.#boot;
    const address = this.#listener?.address;
    const environment =
      address === undefined
        ? sandbox.environment
        : { ...sandbox.environment, AWS_LAMBDA_RUNTIME_API: address };
    this.#sandbox = backend.start({ ...sandbox, environment }, this);
    if (this.#adoption !== undefined) this.#specialise();
  }

  #specialise(): void {
    if (this.#sandbox === undefined) return;
    this.#setBusy(true);
    void this.#sandbox.specialise(this.#adopted.specialisation).then(() => {
      this.#specialised = true;
      this.#initialise();
    });
  }

  #initialise(): void {
    if (!this.#hello || !this.#specialised || this.#phase !== "starting") return;
    this.#phase = "initialising";
    const fault = this.#launcher === undefined ? undefined : this.#launchPlan().fault;
    if (fault === undefined) return this.#channel.initialise();
    this.#ended({ kind: "failed", failure: fault });
    void this.#end("failure");
  }

  /** Looks whether the phase is over, after something that may have been the last to wait for. */
  #progress(): void {
    const extensions = this.#api?.extensions;
    if (this.#phase === "initialising" && extensions?.registered === true) this.#launcher?.startRuntime();
    if (!this.#runtimeDone || extensions?.waiting === false) return;
    if (this.#phase === "busy") this.#phase = "settling";
    else if (this.#phase !== "initialising") return;
    // What the guest wrote to descriptors 1 and 2 before is readable now, but may come later in this turn of the event
    // loop: a turn's check phase runs after all that was readable has been read.
    setImmediate(this.#settle);
  }

  #settled(): void {
    if (this.#phase !== "initialising" && this.#phase !== "settling") return;
    this.#setBusy(false);
    this.#flush();
    if (this.#phase === "initialising") return this.#initOver();
    this.#phase = "idle";
    if (this.#mustDie) void this.kill();
    if (this.#outcome !== undefined) this.#finish(this.#outcome);
  }

  #initOver(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#phase = "idle";
    this.#sandbox?.initialised();
    const initMs = this.#initMs();
    this.#api?.extensions.close();
    this.#api?.telemetry.platform(this.#clock.now(), "initReport", {
      initializationType: this.#adoption?.api?.initializationType,
      phase: "init",
      metrics: { durationMs: initMs },
    });
    this.#api?.telemetry.closeSubscription();
    this.#adopted.onInit({ kind: "ready", environment: this, initMs });
  }

  /** It can go no further: tells whoever waits for it. */
  #ended(how: Extract<Outcome, { kind: "exit" | "failed" }>): void {
    const phase = this.#phase;
    this.#flush();
    this.#die();
    if (phase === "busy" || phase === "settling") {
      if (!this.#runtimeDone) this.#tellRuntimeDone("failure");
      return this.#finish(this.#outcome ?? how);
    }
    if (phase === "idle") return;
    this.#adoption?.onInit({ ...how, initMs: this.#initMs() });
  }

  #finish(outcome: Outcome): void {
    const job = this.#job;
    this.#job = undefined;
    this.#outcome = undefined;
    this.#early?.cancel();
    this.#early = undefined;
    job?.finished(outcome, this);
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
    if (phase === "busy" && !this.#runtimeDone) this.#tellRuntimeDone("timeout");
    void this.#end("timeout");
    if (phase === "busy") return this.#finish({ kind: "timeout" });
    this.#adopted.onInit({ kind: "timeout", initMs: this.#initMs() });
  }

  #die(): void {
    this.#phase = "dead";
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#boot.onGone?.();
    this.#adoption?.onDeath(this);
  }

  /** Ends all its processes, after its shutdown phase where it has one. @param reason undefined: at once */
  #end(reason: ShutdownReason | undefined, runtimeEnded = false): Promise<void> {
    const kill = async (): Promise<void> => {
      if (this.#sandbox === undefined) return this.exited({ ...exitOf(0), cause: "killed" });
      await this.#sandbox.kill();
    };
    if (this.#ending !== undefined) return this.#ending;
    const extensions = this.#api?.extensions;
    if (reason === undefined || extensions === undefined || extensions.shutdownMs === 0) return kill();
    this.#shutdown = new ShutdownPhase(
      { clock: this.#clock, extensions, reason, terminate: () => this.#channel.terminate() },
      runtimeEnded,
    );
    this.#setBusy(true);
    void this.#api?.telemetry.flush();
    this.#ending = this.#shutdown.run().then(kill);
    return this.#ending;
  }

  #apiParts(options: ApiOptions, ids: Pick<Ids, "uuid">): ApiParts {
    const http = this.#boot.protocol?.runtime === "http";
    const extensions = new Extensions(
      { external: options.extensions, identity: options.identity, ids, awaitInternal: http },
      {
        progressed: () => this.#progress(),
        settled: (extension) => options.onExtension(extension, undefined),
        failed: (extension, errorType, told) => {
          options.onExtension(extension, told);
          if (this.#phase === "dead") return;
          this.#ended({ kind: "failed", failure: { errorType, message: told } });
          void this.#end("failure");
        },
      },
    );
    const telemetry = new TelemetryHub({
      clock: this.#clock,
      connect: () => this.#sandbox?.connect,
      onSubscribed: options.onSubscribed,
    });
    const runtime = http
      ? new Runtime({
          initialised: () => this.initialised(),
          initFailed: (error) => this.initFailed(error),
          answered: (requestId, answer) => this.answered(requestId, answer, false),
          waiting: () => this.waiting(),
        })
      : undefined;
    return { runtime, extensions, telemetry };
  }

  #line(type: "function" | "extension", text: string): void {
    const now = this.#clock.now();
    this.#adoption?.log.write(now, `${text}\n`);
    this.#api?.telemetry.line(type, now, `${text}\n`);
  }

  #tellRuntimeDone(status: "success" | "error" | "failure" | "timeout"): void {
    if (this.#api === undefined || this.#job === undefined) return;
    const durationMs = this.#clock.monotonic() - this.#begunAt;
    const outcome = this.#outcome;
    this.#api.telemetry.platform(this.#clock.now(), "runtimeDone", {
      requestId: this.#job.requestId,
      status,
      metrics: {
        durationMs,
        ...(outcome?.kind === "response" ? { producedBytes: outcome.payload.length } : {}),
      },
    });
  }

  #setBusy(busy: boolean): void {
    if (this.#sandbox !== undefined) this.#sandbox.busy = busy;
    if (this.#api !== undefined) this.#api.telemetry.running = busy;
  }

  #launchPlan(): LaunchPlan {
    const plan = this.#adopted.launch?.(this.#listener?.address);
    if (plan === undefined) throw new Error(`environment ${this.id} is launched without a plan`);
    return plan;
  }

  get #adopted(): AdoptionOptions {
    if (this.#adoption === undefined) throw new Error(`environment ${this.id} belongs to no function yet`);
    return this.#adoption;
  }

  #initMs(): number {
    return this.#clock.monotonic() - this.#adoptedAt;
  }

  #flush(): void {
    for (const lines of this.#lines) lines.flush();
  }

  #expect(condition: boolean, what: string): void {
    if (!condition) throw new FrameError("malformed", `${what} while ${this.#phase}`);
  }
}

/** A status as a shell tells it: above 128 it stands for a signal. */
function exitOf(status: number): SandboxExit {
  const signal = status > 128 ? SIGNALS[status - 128] : undefined;
  return {
    status: signal === undefined ? status : undefined,
    signal,
    cause: undefined,
    error: undefined,
  };
}

const SIGNALS: Readonly<Record<number, string>> = Object.fromEntries(
  Object.entries(constants.signals).map(([name, number]) => [number, name]),
);

/** 126 and 127 are a shell's for a command that cannot be run. */
function extensionFailure({ state }: ExtensionView, status: number): Failure {
  const launched = state !== "Started" || (status !== 126 && status !== 127);
  return {
    errorType: launched ? "Extension.Crash" : "Extension.LaunchError",
    message: status > 128 ? `signal: ${SIGNALS[status - 128] ?? status - 128}` : `exit status ${status}`,
  };
}
