import type { Clock } from "#core/clock";
import type { Ids } from "#core/ids";
import type { ExtensionView, FunctionIdentity } from "../runtime-api/extensions.ts";
import type { LaunchPlan } from "../runtime-api/launch.ts";
import type { TraceDaemon } from "../runtime-api/trace-daemon.ts";
import type { TelemetryApi, TelemetryType } from "../runtime-api/telemetry/subscription.ts";
import type { SandboxBackend, SandboxExit, SandboxOptions, Specialisation } from "../sandbox/contract.ts";
import type { Answer, GuestEvent } from "./channel.ts";
import type { EnvironmentLog } from "./log.ts";
import type { TraceContext } from "./trace-context.ts";

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

/** What is recorded of an event that is traced. */
export interface JobTrace extends TraceContext {
  /** The function has answered; what follows is its runtime's and its extensions'. */
  answered(): void;
}

/** One event on its way through an environment. */
export interface Job {
  readonly requestId: string;
  readonly timeoutMs: number;
  /** Undefined where it is not traced. */
  readonly trace?: JobTrace | undefined;
  /**
   * A response begins that comes in parts; left out where none may come.
   * @param taken to be told of bytes that went on, so that more may come
   */
  responseBegan?(contentType: string, taken: (bytes: number) => void): void;
  /** @returns `false` where the response is larger than any may be, and is thrown away */
  responseChunk?(bytes: Buffer): boolean;
  /**
   * Called at most once, where the function's answer is there but its runtime or an extension still works: the caller need
   * not wait for them (AWS Compute Blog, "AWS Lambda Extensions: general availability").
   */
  responded?(answer: Answer): void;
  /** Called, maybe several times, where the runtime has done its part and an extension still works. */
  lingers?(): void;
  /** Its turn has come, where it was prefetched. @param at when that was, by the monotonic clock */
  begun?(environment: EnvironmentView, at: number): void;
  /**
   * It was prefetched, and the environment will not begin it: it may be given to another. Neither `begun` nor anything else
   * is called, before or after.
   */
  returned?(environment: EnvironmentView): void;
  /** Called once, after all that the function wrote has been logged. The environment is idle, at its next event, or dead by then. */
  finished(outcome: Outcome, environment: EnvironmentView): void;
}

/** What anyone may ask of an environment in any phase. */
export interface EnvironmentView {
  readonly id: string;
  readonly specId: string;
  /** The one tenant that it serves, where its function isolates tenants. */
  readonly tenantId: string | undefined;
  readonly log: EnvironmentLog;
  readonly dead: boolean;
  /** The most memory seen, in KiB. */
  readonly peakRssKb: number;
  /** Ends it, whatever it does; resolves when nothing of it is left. */
  kill(): Promise<void>;
  /** The environment as one that takes an event, where it is idle. */
  idle(): IdleEnvironment | undefined;
  /** The environment as one that takes an event ahead of its turn, where it is busy and can. */
  prefetching(): PrefetchingEnvironment | undefined;
}

/** An environment that may be given an event: only who holds one can give it one, and giving takes it away. */
export interface IdleEnvironment extends EnvironmentView {
  /** Sends the event of `job`. @throws Error where the environment is not idle any more */
  begin(job: Job, event: GuestEvent): void;
}

/** An environment at an event, whose guest begins a further one by itself. */
export interface PrefetchingEnvironment extends EnvironmentView {
  /** How many wait behind the one under way. */
  readonly prefetched: number;
  /** Sends the event of `job` ahead: its `begun` and `finished` are called, or its `returned`. */
  prefetch(job: Job, event: GuestEvent): void;
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
  /**
   * Opens an HTTP API for it (Runtime, Extensions, Logs, Telemetry), whose ids come from here. A guest that is launched
   * cannot do without; another starts all the same where its sandbox has none.
   */
  readonly runtimeApi?: Pick<Ids, "uuid">;
  /** The runtime has started and waits for its function, or goes on to load the one that adopted it meanwhile. */
  readonly onBooted?: () => void;
  /** It died, in whatever phase. */
  readonly onGone?: () => void;
}

/** What makes an environment one function's. */
export interface AdoptionOptions {
  readonly specId: string;
  readonly tenantId?: string | undefined;
  readonly specialisation: Specialisation;
  readonly log: EnvironmentLog;
  /** Makes the init frame's JSON. @param listener variables that tell of the Runtime API, where there is one */
  readonly init: (listener: Readonly<Record<string, string>>) => string;
  /** For a guest that is launched: what its launcher starts. */
  readonly launch?: (listener: Readonly<Record<string, string>>) => LaunchPlan;
  /** For a guest with an HTTP API: what that says of the function. */
  readonly api?: ApiOptions;
  readonly initTimeoutMs: number;
  readonly onInit: (result: InitResult) => void;
  /** Called once, when it can serve no more. */
  readonly onDeath: (environment: EnvironmentView) => void;
}

export interface ApiOptions {
  readonly identity: FunctionIdentity;
  /** Takes what it sends to X-Ray's daemon; left out where nothing is traced. */
  readonly traceDaemon?: TraceDaemon | undefined;
  /** File names of the external extensions, in the launch plan's order. */
  readonly extensions: readonly string[];
  readonly initializationType: string;
  readonly initPhase: "init" | "invoke";
  /** Whether what the function logs in JSON is told as such to those who subscribe to it. */
  readonly structuredLog: boolean;
  /** What has become of an extension by the end of the init phase. */
  readonly onExtension: (extension: ExtensionView) => void;
  readonly onSubscribed: (extension: string, api: TelemetryApi, types: readonly TelemetryType[]) => void;
  /** An error of the platform's own while it answered. */
  readonly onError: (error: unknown) => void;
}
