import type { Clock } from "#core/clock";
import { handleRequest } from "../runtime-api/api.ts";
import type { ApiParts } from "../runtime-api/api.ts";
import type { ShutdownReason } from "../runtime-api/extensions.ts";
import { LaunchedChannel } from "../runtime-api/launch.ts";
import type { LaunchPlan } from "../runtime-api/launch.ts";
import { apiParts } from "../runtime-api/parts.ts";
import type { SandboxExit, SandboxListener } from "../sandbox/contract.ts";
import { Assignment } from "./assignment.ts";
import type { Answer, Channel, ChannelListener, GuestEvent, InitError } from "./channel.ts";
import type {
  AdoptionOptions,
  BootOptions,
  EnvironmentView,
  GuestProtocol,
  IdleEnvironment,
  Job,
  Outcome,
  Phase,
  StemEnvironment,
} from "./contract.ts";
import { Enclosure } from "./enclosure.ts";
import { Ending } from "./ending.ts";
import { exitOf, extensionFailure, notStarted } from "./exits.ts";
import { FrameChannel } from "./frame-channel.ts";
import { FrameError, FrameParser } from "./frames.ts";
import { Init } from "./init.ts";
import type { EnvironmentLog } from "./log.ts";
import { GuestOutput } from "./output.ts";
import type { RuntimeStatus } from "./output.ts";
import { PhaseLimit } from "./phase-limit.ts";

const FRAMES: GuestProtocol = { launched: false, runtime: "frames" };

/** Boots an environment of a runtime; it waits for its function. */
export function bootEnvironment(options: BootOptions): StemEnvironment {
  return new Environment(options);
}

/** A host that does not get a runtime started in this time has failed; many starts at once take a while on few cores. */
const BOOT_LIMIT_MS = 60_000;

class Environment implements StemEnvironment, IdleEnvironment, SandboxListener, ChannelListener {
  readonly id: string;
  readonly #boot: BootOptions;
  readonly #clock: Clock;
  readonly #channel: Channel;
  readonly #launcher: LaunchedChannel | undefined;
  readonly #parser = new FrameParser((type, body) => this.#channel.frame(type, body));
  readonly #output: GuestOutput;
  readonly #enclosure: Enclosure;
  #api: ApiParts | undefined;
  #adoption: AdoptionOptions | undefined;
  readonly #init: Init;
  #phase: Phase = "starting";
  /** The event under way. */
  readonly #event: Assignment;
  #begunAt = 0;
  /** The runtime's part of the phase is over; that of the extensions may not be. */
  #runtimeDone = false;
  readonly #limit: PhaseLimit;
  #peakRssKb = 0;
  #mustDie = false;
  readonly #ending: Ending;
  readonly #settle = (): void => this.#settled();

  constructor(options: BootOptions) {
    this.#boot = options;
    this.#clock = options.clock;
    this.#event = new Assignment(options.clock);
    this.#init = new Init(options.clock);
    this.#limit = new PhaseLimit(options.clock, () => this.#timedOut());
    this.id = options.sandbox.id;
    const { launched, runtime } = options.protocol ?? FRAMES;
    const send = (bytes: Uint8Array): void => this.#enclosure.send(bytes);
    const frames = (): Channel =>
      new FrameChannel(this, send, () => this.#adopted.init(this.#enclosure.variables));
    if (launched)
      this.#launcher = new LaunchedChannel(
        this,
        send,
        () => this.#launchPlan(),
        runtime === "frames" ? frames() : undefined,
        (event) => this.#api?.runtime?.invoke(event),
      );
    this.#channel = this.#launcher ?? frames();
    this.#output = new GuestOutput(options.clock, launched);
    this.#ending = new Ending({
      clock: options.clock,
      kill: () => this.#enclosure.kill(),
      terminate: () => this.#channel.terminate(),
      onShutdown: () => this.#shutsDown(),
    });
    this.#enclosure = new Enclosure(options, this, {
      onRequest: (request, response) => handleRequest(this.#api, request, response),
      onDatagram: (bytes) => this.#api?.traceDaemon?.datagram(bytes),
    });
  }

  get specId(): string {
    return this.#adopted.specId;
  }

  get tenantId(): string | undefined {
    return this.#adopted.tenantId;
  }

  get log(): EnvironmentLog {
    return this.#adopted.log;
  }

  get dead(): boolean {
    return this.#phase === "dead";
  }

  get peakRssKb(): number {
    return Math.max(this.#peakRssKb, this.#enclosure.peakRssKb);
  }

  idle(): IdleEnvironment | undefined {
    return this.#phase === "idle" ? this : undefined;
  }

  adopt(options: AdoptionOptions): EnvironmentView {
    if (this.#adoption !== undefined || this.#phase === "dead")
      throw new Error(`environment ${this.id} cannot be adopted`);
    this.#adoption = options;
    this.#init.begin(this.#limit.start(BOOT_LIMIT_MS));
    if (options.api !== undefined && this.#boot.runtimeApi !== undefined)
      this.#api = apiParts({
        clock: this.#clock,
        ids: this.#boot.runtimeApi,
        function: options.api,
        http: this.#boot.protocol?.runtime === "http",
        connect: () => this.#enclosure.connect,
        guest: this,
        progressed: () => this.#progress(),
        failed: (errorType, message) => this.#extensionFailed(errorType, message),
      });
    this.#output.attach(options.log, this.#api?.telemetry, options.api?.initializationType);
    this.#setBusy(true);
    void this.#enclosure.specialise(options.specialisation).then(() => {
      this.#init.specialised = true;
      this.#initialise();
    });
    return this;
  }

  begin(job: Job, event: GuestEvent): void {
    if (this.#phase !== "idle") throw new Error(`environment ${this.id} is ${this.#phase}, not idle`);
    this.#phase = "busy";
    this.#event.begin(job, event.kind === "restore");
    this.#setBusy(true);
    this.#begunAt = this.#limit.extend(job.timeoutMs);
    this.#runtimeDone = false;
    if (!this.#event.restoring) this.#api?.extensions.invoke(event);
    this.#channel.invoke(event);
  }

  kill(): Promise<void> {
    if (this.#phase !== "idle") return this.#end(undefined);
    this.#die();
    return this.#end("spindown");
  }

  // What the sandbox tells.

  frames(chunk: Buffer): void {
    if (this.#phase === "dead" && !this.#ending.shutDown) return;
    try {
      this.#parser.push(chunk);
    } catch (error) {
      if (!(error instanceof FrameError)) throw error;
      if (error.reason === "too-large" && this.#phase === "busy") this.#event.exceeded();
      // A guest that breaks the protocol ends like one that crashed; one that is idle must not be given an event meanwhile.
      if (this.#phase === "idle") this.#die();
      void this.#end(undefined);
    }
  }

  output(descriptor: 1 | 2, chunk: Buffer): void {
    this.#output.push(descriptor, chunk);
  }

  exiting(): void {
    // A spawner's end takes many guests along, and the last words of one are read before another's: whoever waits for no
    // answer must not be given an event, or a function, meanwhile.
    if (this.#phase === "idle" || (this.#phase === "starting" && this.#adoption === undefined)) this.#die();
  }

  exited(exit: SandboxExit): void {
    this.#enclosure.closeApi();
    this.#api?.telemetry.close();
    this.#ending.cut();
    if (this.#phase !== "dead") this.#ended({ kind: "exit", exit });
  }

  // What the guest tells.

  booted(): void {
    if (this.#phase === "dead") return;
    this.#expect(this.#phase === "starting" && !this.#init.hello, "hello");
    this.#init.hello = true;
    this.#boot.onBooted?.();
    if (this.#adoption !== undefined) return this.#initialise();
    this.#setBusy(false);
  }

  initialised(): void {
    if (this.#phase === "dead") return;
    this.#expect(this.#initUnderWay, "the end of init");
    this.#runtimeDone = true;
    this.#output.initRuntimeDone();
    this.#progress();
  }

  initFailed(error: InitError): void {
    if (this.#phase === "dead") return;
    this.#expect(this.#initUnderWay, "an init error");
    this.#init.error = error;
    // A turn later, so that what it wrote to its descriptors is read first.
    setImmediate(() => {
      if (this.#phase === "dead") return;
      this.#output.flush();
      this.#die();
      void this.#end("failure");
      this.#adoption?.onInit(this.#init.unfinished({ kind: "error", ...error }));
    });
  }

  responseBegan(requestId: string, contentType: string): void {
    if (this.#phase === "dead") return;
    this.#expect(this.#phase === "busy", "a response");
    this.#event.responseBegan(requestId, contentType, (bytes) => {
      if (this.#api?.runtime === undefined) this.#channel.taken(bytes);
      else this.#api.runtime.taken(bytes);
    });
  }

  responseChunk(bytes: Buffer): boolean {
    return this.#phase === "dead" || this.#event.responseChunk(bytes);
  }

  answered(requestId: string, answer: Answer, last: boolean): void {
    if (this.#phase === "dead") return;
    this.#expect(this.#phase === "busy", "an answer");
    this.#event.answered(requestId, answer);
    if (answer.kind !== "too-large" && answer.maxRssKb > this.#peakRssKb) this.#peakRssKb = answer.maxRssKb;
    if (last) this.#mustDie = true;
    // One that speaks HTTP has yet to ask for its next event.
    if (this.#api?.runtime !== undefined) this.#event.respondEarly(answer);
  }

  waiting(): void {
    if (this.#phase !== "busy") return;
    this.#runtimeDone = true;
    const kind = this.#event.outcome?.kind;
    this.#tellRuntimeDone(kind === "response" || kind === "streamed" ? "success" : "error");
    this.#progress();
  }

  logged(time: number, message: string): void {
    this.#output.event(time, message);
  }

  processEnded(process: number | "runtime", status: number): void {
    if (this.#ending.shutDown) return this.#ending.processEnded(process);
    if (this.#phase === "dead") return;
    const extension = process === "runtime" ? undefined : this.#api?.extensions.view(process);
    // A turn later, so that what it wrote to its descriptors is read first.
    setImmediate(() => {
      if (this.#phase === "dead") return;
      if (extension === undefined) this.#ended({ kind: "exit", exit: exitOf(status) });
      else {
        const failure = extensionFailure(extension, status);
        if (!extension.ready) this.#adoption?.api?.onExtension(extension, failure.errorType);
        this.#ended({ kind: "failed", failure });
      }
      void this.#end("failure", process === "runtime");
    });
  }

  // How it goes from phase to phase.

  #initialise(): void {
    if (!this.#init.due || this.#phase !== "starting") return;
    this.#phase = "initialising";
    // The time that the host took to start a process is not the function's.
    this.#init.begin(this.#limit.start(this.#adopted.initTimeoutMs));
    const fault = this.#launcher === undefined ? undefined : this.#launchPlan().fault;
    if (fault === undefined) return this.#channel.initialise();
    this.#ended({ kind: "failed", failure: fault });
    void this.#end("failure");
  }

  /** Looks whether the phase is over, after something that may have been the last to wait for. */
  #progress(): void {
    const extensions = this.#api?.extensions;
    if (this.#phase === "initialising" && extensions?.registered === true) this.#launcher?.startRuntime();
    if (!this.#runtimeDone) return;
    if (extensions?.waiting === false) {
      this.#event.lingers();
      const answer = this.#event.outcome;
      if (answer?.kind === "response" || answer?.kind === "error" || answer?.kind === "streamed")
        this.#event.respondEarly(answer);
      return;
    }
    if (this.#phase === "busy") this.#phase = "settling";
    else if (this.#phase !== "initialising") return;
    // What the guest wrote to descriptors 1 and 2 before is readable now, but may come later in this turn of the event
    // loop: a turn's check phase runs after all that was readable has been read.
    setImmediate(this.#settle);
  }

  #settled(): void {
    if (this.#phase !== "initialising" && this.#phase !== "settling") return;
    this.#setBusy(false);
    this.#output.flush();
    if (this.#phase === "initialising") return this.#initOver();
    this.#phase = "idle";
    if (this.#mustDie) void this.kill();
    if (this.#event.outcome !== undefined) this.#finish(this.#event.outcome);
  }

  #initOver(): void {
    this.#limit.clear();
    this.#phase = "idle";
    this.#enclosure.initialised();
    const initMs = this.#init.ms;
    this.#api?.extensions.close();
    this.#output.initReport(initMs);
    this.#api?.telemetry.closeSubscription();
    this.#adopted.onInit({ kind: "ready", environment: this, initMs });
  }

  /** It can go no further: tells whoever waits for it. */
  #ended(how: Extract<Outcome, { kind: "exit" | "failed" }>): void {
    const phase = this.#phase;
    this.#output.flush();
    this.#die();
    if (phase === "busy" || phase === "settling") {
      if (!this.#runtimeDone) this.#tellRuntimeDone("failure");
      return this.#finish(this.#event.outcome ?? how);
    }
    if (phase === "idle") return;
    // A guest ends right after it has told its init error: its end may be seen in the same turn.
    const { error } = this.#init;
    this.#adoption?.onInit(this.#init.unfinished(error === undefined ? how : { kind: "error", ...error }));
  }

  #finish(outcome: Outcome): void {
    // Its time is not that of an invocation, which would go on with its timer.
    if (this.#event.restoring) this.#limit.clear();
    this.#event.finish(outcome, this);
  }

  #timedOut(): void {
    const phase = this.#phase;
    if (phase === "idle" || phase === "settling" || phase === "dead") return;
    this.#output.flush();
    this.#die();
    if (phase === "busy" && !this.#runtimeDone) this.#tellRuntimeDone("timeout");
    void this.#end("timeout");
    if (phase === "busy") return this.#finish({ kind: "timeout" });
    const adopted = this.#adopted;
    if (phase === "initialising") return adopted.onInit(this.#init.unfinished({ kind: "timeout" }));
    const error = new Error(`the runtime did not start within ${BOOT_LIMIT_MS / 1000} seconds`);
    adopted.onInit(this.#init.unfinished({ kind: "exit", exit: notStarted(error) }));
  }

  #die(): void {
    this.#phase = "dead";
    this.#limit.clear();
    this.#boot.onGone?.();
    this.#adoption?.onDeath(this);
  }

  /** Ends all its processes, after its shutdown phase where it has one. @param reason undefined: at once */
  #end(reason: ShutdownReason | undefined, runtimeEnded = false): Promise<void> {
    return this.#ending.begin(reason, this.#api?.extensions, runtimeEnded);
  }

  #shutsDown(): void {
    this.#setBusy(true);
    void this.#api?.telemetry.flush();
  }

  /** An extension reported an error and is to exit. */
  #extensionFailed(errorType: string, message: string): void {
    if (this.#phase === "dead") return;
    this.#ended({ kind: "failed", failure: { errorType, message } });
    void this.#end("failure");
  }

  #tellRuntimeDone(status: RuntimeStatus): void {
    const { restoring } = this.#event;
    if (!restoring) this.#output.runtimeDone(this.#event, status, this.#clock.monotonic() - this.#begunAt);
  }

  #setBusy(busy: boolean): void {
    this.#enclosure.busy = busy;
    if (this.#api !== undefined) this.#api.telemetry.running = busy;
  }

  #launchPlan(): LaunchPlan {
    const plan = this.#adopted.launch?.(this.#enclosure.variables);
    if (plan === undefined) throw new Error(`environment ${this.id} is launched without a plan`);
    return plan;
  }

  get #adopted(): AdoptionOptions {
    if (this.#adoption === undefined) throw new Error(`environment ${this.id} belongs to no function yet`);
    return this.#adoption;
  }

  /** The guest has yet to tell how its init went: once, as more would settle an invocation that has begun meanwhile. */
  get #initUnderWay(): boolean {
    return this.#phase === "initialising" && this.#init.error === undefined && !this.#runtimeDone;
  }

  #expect(condition: boolean, what: string): asserts condition {
    if (!condition) throw new FrameError("malformed", `${what} while ${this.#phase}`);
  }
}
