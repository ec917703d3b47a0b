import type { ShutdownReason } from "../runtime-api/extensions.ts";
import type { SandboxExit, SandboxListener } from "../sandbox/contract.ts";
import type { Assignment } from "./assignment.ts";
import type { Answer, ChannelListener, GuestEvent, InitError } from "./channel.ts";
import type {
  AdoptionOptions,
  BootOptions,
  EnvironmentView,
  IdleEnvironment,
  Job,
  Outcome,
  Phase,
  PrefetchingEnvironment,
  StemEnvironment,
} from "./contract.ts";
import { Ending } from "./ending.ts";
import { Events } from "./events.ts";
import { exitOf, extensionFailure, runtimeEnd } from "./exits.ts";
import { FrameError } from "./frames.ts";
import { Guest, type ExtensionsListener } from "./guest.ts";
import { Init } from "./init.ts";
import type { EnvironmentLog } from "./log.ts";
import { PhaseLimit } from "./phase-limit.ts";

/** Boots an environment of a runtime; it waits for its function. */
export function bootEnvironment(options: BootOptions): StemEnvironment {
  return new Environment(options);
}

/** The state machine of one environment: what its guest and its sandbox tell takes it from phase to phase. */
class Environment
  implements
    StemEnvironment,
    IdleEnvironment,
    PrefetchingEnvironment,
    SandboxListener,
    ChannelListener,
    ExtensionsListener
{
  readonly id: string;
  readonly #boot: BootOptions;
  readonly #guest: Guest;
  readonly #init: Init;
  #phase: Phase = "starting";
  readonly #events: Events;
  /** The one of them that is under way. */
  readonly #event: Assignment;
  /** The runtime's part of the phase is over; that of the extensions may not be. */
  #runtimeDone = false;
  readonly #limit: PhaseLimit;
  #peakRssKb = 0;
  #mustDie = false;
  #brokeProtocol = false;
  readonly #ending: Ending;
  readonly #settle = (): void => this.#settled();

  constructor(options: BootOptions) {
    this.#boot = options;
    this.#limit = new PhaseLimit(options.clock, () => this.#timedOut());
    this.id = options.sandbox.id;
    this.#ending = new Ending({
      clock: options.clock,
      kill: () => this.#guest.enclosure.kill(),
      terminate: () => this.#guest.channel.terminate(),
      onShutdown: () => this.#guest.shutsDown(),
    });
    this.#guest = new Guest(options, this);
    this.#init = new Init(options.clock, this.#guest, this.#limit);
    this.#events = new Events(options.clock, this, this.#guest, this.#limit);
    this.#event = this.#events.current;
  }

  get specId(): string {
    return this.#guest.adopted.specId;
  }

  get tenantId(): string | undefined {
    return this.#guest.adopted.tenantId;
  }

  get log(): EnvironmentLog {
    return this.#guest.adopted.log;
  }

  get dead(): boolean {
    return this.#phase === "dead";
  }

  get peakRssKb(): number {
    return Math.max(this.#peakRssKb, this.#guest.enclosure.peakRssKb);
  }

  idle(): IdleEnvironment | undefined {
    return this.#phase === "idle" ? this : undefined;
  }

  prefetching(): PrefetchingEnvironment | undefined {
    const serves = this.#phase === "busy" || this.#phase === "settling";
    const can = serves && !this.#mustDie && this.#events.ahead.open && this.#guest.prefetches;
    return can ? this : undefined;
  }

  get prefetched(): number {
    return this.#events.ahead.length;
  }

  prefetch(job: Job, event: GuestEvent): void {
    if (this.#phase !== "busy" && this.#phase !== "settling")
      throw new Error(`environment ${this.id} is ${this.#phase}, not busy`);
    this.#events.prefetch(job, event);
  }

  adopt(options: AdoptionOptions): EnvironmentView {
    if (this.#guest.adoption !== undefined || this.#phase === "dead")
      throw new Error(`environment ${this.id} cannot be adopted`);
    void this.#init.adopt(options).then(() => this.#initialise());
    return this;
  }

  begin(job: Job, event: GuestEvent): void {
    if (this.#phase !== "idle") throw new Error(`environment ${this.id} is ${this.#phase}, not idle`);
    this.#phase = "busy";
    this.#guest.busy = true;
    this.#runtimeDone = false;
    const restoring = event.kind === "restore";
    this.#events.begin(job, restoring);
    if (!restoring) this.#guest.api?.extensions.invoke(event);
    this.#guest.channel.invoke(event);
  }

  kill(): Promise<void> {
    if (this.#phase !== "idle") return this.#end(undefined);
    this.#die();
    return this.#end("spindown");
  }

  // What the sandbox tells.

  frames(chunk: Buffer): void {
    const heard = this.#phase !== "dead" || this.#ending.shutDown || this.#events.ahead.length > 0;
    if (this.#brokeProtocol || !heard) return;
    try {
      this.#guest.parser.push(chunk);
    } catch (error) {
      if (!(error instanceof FrameError)) throw error;
      // It may have been the next event that did it, and those after it may have begun by the time that all ends.
      this.#advance();
      this.#events.ahead.lost();
      // Nothing that it says until it is gone counts any more, and it is given nothing more to do.
      this.#brokeProtocol = true;
      this.#mustDie = true;
      if (error.reason === "too-large" && this.#phase === "busy") this.#event.exceeded();
      // A guest that breaks the protocol ends like one that crashed; one that is idle must not be given an event meanwhile.
      if (this.#phase === "idle") this.#die();
      void this.#end(undefined);
    }
  }

  output(descriptor: 1 | 2, chunk: Buffer): void {
    this.#event.heard();
    this.#guest.output.push(descriptor, chunk);
  }

  exiting(): void {
    // A spawner's end takes many guests along, and the last words of one are read before another's: whoever waits for no
    // answer must not be given an event, or a function, meanwhile.
    if (this.#phase === "idle" || (this.#phase === "starting" && this.#guest.adoption === undefined))
      this.#die();
  }

  exited(exit: SandboxExit): void {
    this.#guest.enclosure.closeApi();
    this.#guest.api?.telemetry.close();
    this.#ending.cut();
    if (this.#phase !== "dead") this.#ended({ kind: "exit", exit });
    this.#events.ahead.end(exit);
  }

  // What the guest tells.

  booted(): void {
    if (this.#phase === "dead") return;
    this.#expect(this.#phase === "starting" && !this.#init.hello, "hello");
    this.#init.hello = true;
    this.#boot.onBooted?.();
    if (this.#guest.adoption !== undefined) return this.#initialise();
    this.#guest.busy = false;
  }

  initialised(prefetches = false): void {
    if (this.#phase === "dead") return;
    this.#expect(this.#initUnderWay, "the end of init");
    this.#guest.takesAhead = prefetches;
    this.#runtimeDone = true;
    this.#guest.output.initRuntimeDone({ status: "success" });
    this.progressed();
  }

  initFailed(error: InitError): void {
    if (this.#phase === "dead") return;
    this.#expect(this.#initUnderWay, "an init error");
    this.#init.error = error;
    // A turn later, so that what it wrote to its descriptors is read first.
    setImmediate(() => {
      if (this.#phase === "dead") return;
      this.#guest.output.flush();
      this.#die();
      void this.#end("failure");
      this.#init.failed({ kind: "error", ...error });
    });
  }

  responseBegan(requestId: string, contentType: string): void {
    if (this.#phase === "dead") return;
    this.#advance();
    this.#expect(this.#phase === "busy", "a response");
    this.#events.responseBegan(requestId, contentType);
  }

  responseChunk(bytes: Buffer): boolean {
    return this.#phase === "dead" || this.#event.responseChunk(bytes);
  }

  answered(requestId: string, answer: Answer, last: boolean): void {
    if (this.#phase === "dead") return last ? undefined : this.#events.ahead.wentOn();
    if (last && this.#event.isOver(requestId)) return this.#endedLate();
    this.#advance();
    this.#expect(this.#phase === "busy", "an answer");
    if (last) this.#mustDie = true;
    this.#events.answered(requestId, answer);
    if (answer.kind !== "too-large" && answer.maxRssKb > this.#peakRssKb) this.#peakRssKb = answer.maxRssKb;
    // One that speaks HTTP has yet to ask for its next event.
    if (this.#guest.api?.runtime !== undefined) this.#event.respondEarly(answer);
  }

  returned(requestId: string): void {
    if (this.#phase === "dead") return;
    this.#advance();
    const job = this.#events.returned(requestId);
    if (job === undefined) return;
    if (this.#event.requestId === undefined) this.#rest();
    job.returned?.(this);
  }

  waiting(): void {
    const { outcome } = this.#event;
    if (this.#phase !== "busy" || outcome === undefined) return;
    this.#runtimeDone = true;
    this.#events.runtimeDone(runtimeEnd(outcome));
    this.progressed();
  }

  logged(time: number, message: string, late = false): void {
    if (this.#phase === "dead" && !this.#ending.shutDown) return;
    if (!late) {
      this.#advance();
      this.#event.heard();
    }
    this.#guest.output.event(time, message);
  }

  processEnded(process: number | "runtime", status: number): void {
    if (this.#ending.shutDown) return this.#ending.processEnded(process);
    if (this.#phase === "dead") return;
    const extension = process === "runtime" ? undefined : this.#guest.api?.extensions.view(process);
    // A turn later, so that what it wrote to its descriptors is read first.
    setImmediate(() => {
      if (this.#phase === "dead") return;
      if (extension === undefined) this.#ended({ kind: "exit", exit: exitOf(status) });
      else {
        const failure = extensionFailure(extension, status);
        this.#guest.api?.extensions.crashed(process as number, failure.errorType, status);
        this.#ended({ kind: "failed", failure });
      }
      void this.#end("failure", process === "runtime");
    });
  }

  /** Looks whether the phase is over, after something that may have been the last to wait for. */
  progressed(): void {
    const extensions = this.#guest.api?.extensions;
    if (this.#phase === "initialising" && extensions?.registered === true) this.#guest.startRuntime();
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

  extensionFailed(errorType: string, message: string): void {
    if (this.#phase === "dead") return;
    this.#ended({ kind: "failed", failure: { errorType, message } });
    void this.#end("failure");
  }

  // How it goes from phase to phase.

  #initialise(): void {
    if (!this.#init.due || this.#phase !== "starting") return;
    this.#phase = "initialising";
    const fault = this.#init.start();
    if (fault === undefined) return;
    this.#ended({ kind: "failed", failure: fault });
    void this.#end("failure");
  }

  #settled(): void {
    if (this.#phase !== "initialising" && this.#phase !== "settling") return;
    this.#guest.output.flush();
    const next = this.#mustDie ? undefined : this.#events.ahead.next();
    if (next === undefined) {
      const initialised = this.#phase === "initialising";
      this.#rest();
      if (initialised) return this.#init.succeeded(this);
      if (this.#mustDie) void this.kill();
    } else this.#phase = "busy";
    const { outcome } = this.#event;
    if (outcome !== undefined) this.#events.finish(outcome);
    if (next === undefined) return;
    this.#runtimeDone = false;
    this.#events.follow(next);
  }

  #rest(): void {
    this.#guest.busy = false;
    this.#phase = "idle";
  }

  /** What the guest says now is of its next event, where it has one: the one before is over, though its turn of the event loop is not. */
  #advance(): void {
    if (this.#phase === "settling" && this.#events.ahead.length > 0) this.#settled();
  }

  /** It can go no further: tells whoever waits for it. */
  #ended(how: Extract<Outcome, { kind: "exit" | "failed" }>): void {
    const phase = this.#phase;
    this.#guest.output.flush();
    // It has answered, and may have gone on to the next event.
    if (phase === "settling" && !this.#mustDie) this.#events.ahead.wentOn();
    this.#die();
    if (phase === "busy" || phase === "settling") {
      if (!this.#runtimeDone) this.#events.runtimeDone(runtimeEnd(how));
      return this.#events.finish(this.#event.outcome ?? how);
    }
    if (phase !== "idle") this.#init.failed(how);
  }

  /** What an event left behind has ended the runtime, which has begun no other: one that counts as begun fails by that end, as in AWS. */
  #endedLate(): void {
    this.#mustDie = true;
    const spared = this.#event.spared();
    if (spared === undefined && this.#phase !== "idle") return;
    this.#die();
    void this.#end("failure");
    spared?.returned?.(this);
  }

  #timedOut(): void {
    const phase = this.#phase;
    if (phase === "idle" || phase === "settling" || phase === "dead") return;
    this.#guest.output.flush();
    this.#die();
    if (phase === "busy" && !this.#runtimeDone) this.#events.runtimeDone({ status: "timeout" });
    void this.#end("timeout");
    if (phase === "busy") this.#events.finish({ kind: "timeout" });
    else this.#init.timedOut(phase === "initialising");
  }

  #die(): void {
    this.#phase = "dead";
    this.#limit.clear();
    this.#events.ahead.stop();
    this.#boot.onGone?.();
    this.#guest.adoption?.onDeath(this);
  }

  /** Ends all its processes, after its shutdown phase where it has one. @param reason undefined: at once */
  #end(reason: ShutdownReason | undefined, runtimeEnded = false): Promise<void> {
    return this.#ending.begin(reason, this.#guest.api?.extensions, runtimeEnded);
  }

  /** The guest has yet to tell how its init went: once, as more would settle an invocation that has begun meanwhile. */
  get #initUnderWay(): boolean {
    return this.#phase === "initialising" && this.#init.error === undefined && !this.#runtimeDone;
  }

  #expect(condition: boolean, what: string): asserts condition {
    if (!condition) throw new FrameError("malformed", `${what} while ${this.#phase}`);
  }
}
