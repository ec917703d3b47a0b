import type { LogWriter } from "#telemetry/log-sink";
import type { BlobId } from "#storage/blobs";
import type { Reclaimed } from "./code/reclaimer.ts";

/** Where a function version's code is: a zip archive, checked and unpacked by the code store, or an image. */
export interface CodePackage {
  readonly blob: BlobId;
  /** Base64 SHA-256 of the archive, as `CodeSha256`. */
  readonly sha256: string;
  readonly bytes: number;
  /** The size of all its files, unpacked; undefined in records of older platforms. */
  readonly unpackedBytes?: number;
  /** Of a container image: `blob` is its manifest then, `sha256` the manifest's digest in hexadecimal, `bytes` its layers'. */
  readonly image?: ImageOrigin | undefined;
}

export interface ImageOrigin {
  /** As its deployer named it. */
  readonly uri: string;
  /** By its digest, such as `registry/repository@sha256:…`. */
  readonly resolvedUri: string;
}

/** What a function has in place of its image's own settings (API reference, ImageConfig). */
export interface ImageOverrides {
  readonly entryPoint: readonly string[] | undefined;
  readonly command: readonly string[] | undefined;
  readonly workingDirectory: string | undefined;
}

/** All that the engine needs to run one version of one function. Immutable; a change of code or configuration is a new spec with a new `id`. */
export interface FunctionSpec {
  /** Unique for this code and configuration; environments of another id never serve it. */
  readonly id: string;
  readonly account: string;
  readonly region: string;
  readonly name: string;
  /** `$LATEST` or a number. */
  readonly version: string;
  /** Unqualified function ARN. */
  readonly arn: string;
  /** Lambda's runtime identifier, such as `nodejs22.x`. */
  readonly runtime: string;
  readonly handler: string;
  readonly code: CodePackage;
  readonly layers: readonly CodePackage[];
  /** Of a function whose code is an image; `runtime` and `handler` are empty then. */
  readonly imageConfig?: ImageOverrides | undefined;
  readonly memoryMb: number;
  readonly timeoutMs: number;
  readonly ephemeralStorageMb: number;
  readonly architecture: "x86_64" | "arm64";
  readonly environment: Readonly<Record<string, string>>;
  /** What its environments may reach, where that is less than the platform's functions may: its variable THAW_NETWORK. */
  readonly network?: "egress" | "none" | undefined;
  readonly roleArn: string;
  readonly tracing: "Active" | "PassThrough";
  readonly logging: LoggingSpec;
  /** Each of its environments serves one tenant alone: every invocation names one. */
  readonly tenancy?: "PER_TENANT" | undefined;
  /** SnapStart: it was initialised when it was published, and its environments are to start from there. */
  readonly snapStart?: boolean;
}

export interface LoggingSpec {
  readonly group: string;
  readonly format: "Text" | "JSON";
  readonly applicationLevel: "TRACE" | "DEBUG" | "INFO" | "WARN" | "ERROR" | "FATAL" | undefined;
  readonly systemLevel: "DEBUG" | "INFO" | "WARN" | undefined;
}

/** Why an environment was initialised, as `AWS_LAMBDA_INITIALIZATION_TYPE` tells functions. */
export type InitializationType = "on-demand" | "provisioned-concurrency" | "snap-start";

/** What a function as a whole may use of its account's concurrency, and what is kept ready for it. */
export interface FunctionConcurrency {
  readonly account: string;
  readonly region: string;
  /** Unqualified function ARN. */
  readonly arn: string;
  /** Concurrent executions that are the function's own and its most; 0 stops it. Undefined: it shares the account's. */
  readonly reserved: number | undefined;
  readonly provisioned: readonly ProvisionedAllotment[];
}

/** Environments to keep initialised for one version, or for the versions that an alias points to. */
export interface ProvisionedAllotment {
  /** The alias or version that was configured. */
  readonly qualifier: string;
  /** One, or two where the alias splits its invocations. */
  readonly targets: readonly { readonly spec: FunctionSpec; readonly count: number }[];
}

/** How far an allotment is, in the words of GetProvisionedConcurrencyConfig. */
export interface ProvisionedState {
  readonly status: "IN_PROGRESS" | "READY" | "FAILED";
  readonly statusReason: string | undefined;
  /** Environments that are initialised, whether or not they serve an invocation. */
  readonly allocated: number;
  /** Those of them that serve none. */
  readonly available: number;
}

/** Where metrics go. Recording is cheap and synchronous; aggregation and what follows are the sink's matter. */
export interface MetricSink {
  /** The series of a metric with just these dimensions; ask once and keep it. */
  series(address: MetricAddress): MetricSeries;
}

export interface MetricSeries {
  /** @param time epoch milliseconds */
  record(value: number, time: number): void;
  /** Says that no more values are to be expected; a value that comes all the same is taken. */
  close(): void;
}

export interface MetricAddress {
  readonly account: string;
  readonly region: string;
  /** Such as `AWS/Lambda`. */
  readonly namespace: string;
  readonly name: string;
  readonly unit: "Bytes" | "Count" | "Milliseconds" | "Percent" | "None";
  readonly dimensions: Readonly<Record<string, string>>;
}

/** Where it is counted what AWS would bill. Calls are cheap and synchronous; keeping it is the sink's matter. */
export interface UsageSink {
  /** The usage of one function; ask once and keep it. */
  meter(account: string, region: string, functionName: string): UsageMeter;
}

export interface UsageMeter {
  /** @param provisioned whether it had a provisioned environment @param time when it began, in epoch milliseconds */
  invoked(invocation: BilledInvocation, provisioned: boolean, time: number): void;
  /** Time for which provisioned environments were asked for. @param ms that of all of them together */
  reserved(spec: FunctionSpec, ms: number, time: number): void;
}

/** An invocation that has ended, as it is billed. */
export interface BilledInvocation {
  readonly spec: FunctionSpec;
  /** As REPORT tells it. */
  readonly billedMs: number;
  /** The part of it that its own init or restore took. */
  readonly coldMs: number;
  /** Bytes of a streamed response beyond its first 6 MB. */
  readonly streamedBytes: number;
}

/** Where the segments of traced invocations go. Calls are cheap and synchronous; batching and sending are the sink's matter. */
export interface TraceSink {
  /** @param spec the function that it is about, in whose role's name it is sent */
  write(spec: FunctionSpec, segment: SegmentDocument | LooseSubsegment): void;
}

/** Takes what the processes of functions' environments send to X-Ray's daemon. */
export interface GuestTraces {
  /** @param document as it came: JSON at first sight, no more */
  document(spec: FunctionSpec, document: string): void;
  /** A datagram was dropped. */
  dropped(reason: "malformed" | "too many"): void;
  /** Asks X-Ray as the function's role. @param body the operation's input, as JSON */
  sampling(
    spec: FunctionSpec,
    operation: SamplingOperation,
    body: Uint8Array,
  ): Promise<{ readonly status: number; readonly body: string }>;
  /** Takes a request in OTLP/HTTP in the function's name. @param path such as `/v1/traces` */
  otlp(
    spec: FunctionSpec,
    path: string,
    headers: Readonly<Record<string, string | undefined>>,
    body: Uint8Array,
  ): Promise<{ readonly status: number; readonly type: string; readonly body: Uint8Array }>;
}

/** What X-Ray's daemon passes on. */
export type SamplingOperation = "GetSamplingRules" | "GetSamplingTargets";

/** AWS X-Ray Developer Guide, "AWS X-Ray segment documents". Times in seconds since the epoch. */
export interface SegmentDocument extends SubsegmentDocument {
  readonly trace_id: string;
  readonly parent_id?: string;
  readonly origin: "AWS::Lambda" | "AWS::Lambda::Function";
  readonly resource_arn?: string;
  readonly http?: { readonly response: { readonly status: number } };
  readonly error?: true;
  readonly throttle?: true;
  readonly links?: readonly TraceLink[];
  readonly subsegments?: readonly SubsegmentDocument[];
}

/** A subsegment that is sent by itself, because its segment was sent before. */
export interface LooseSubsegment extends Omit<SubsegmentDocument, "aws"> {
  readonly type: "subsegment";
  readonly trace_id: string;
  readonly parent_id: string;
  readonly http?: { readonly response: { readonly status: number } };
}

/** Another trace, and what of it. */
export interface TraceLink {
  readonly trace_id: string;
  readonly id?: string;
}

export interface SubsegmentDocument {
  readonly id: string;
  readonly name: string;
  readonly start_time: number;
  readonly end_time: number;
  readonly fault?: true;
  readonly cause?: { readonly exceptions: readonly TracedException[] };
  readonly aws: Readonly<Record<string, string | readonly string[]>>;
}

export interface TracedException {
  readonly id: string;
  readonly type: string;
  readonly message: string;
}

export interface Invocation {
  readonly spec: FunctionSpec;
  readonly requestId: string;
  /** The ARN as the caller wrote it, qualifier included: `context.invokedFunctionArn`. */
  readonly invokedArn: string;
  /** The event's bytes, already checked to be JSON. */
  readonly payload: Uint8Array;
  /** The client context's JSON, already decoded from base64. */
  readonly clientContext: string | undefined;
  /** `Root=…;Parent=…;Sampled=…`, or undefined for the engine to make one. */
  readonly traceHeader: string | undefined;
  /** Traces of what it was caused by that goes on in a trace of its own. */
  readonly traceLinks?: readonly TraceLink[] | undefined;
  /** Of an asynchronous event: when it was accepted, in epoch milliseconds, and which try this is, from 1. */
  readonly accepted?: { readonly at: number; readonly attempt: number } | undefined;
  /** Whether the caller wants the last 4 KB of the log. */
  readonly tail: boolean;
  /** Whom it is for. Environments are never shared between tenants, nor between one and none. */
  readonly tenantId?: string | undefined;
  /** Where the response goes as the function writes it; without one it is gathered and answered whole, up to 6 MB. */
  readonly sink?: ResponseSink | undefined;
}

/**
 * Takes a response in parts: an event stream's writer, a function URL's. Whoever is slow holds the function back, so that
 * the platform never keeps more than a window of a response. Neither method may throw.
 */
export interface ResponseSink {
  /**
   * The response begins; called at most once, and not at all where the function fails before it has begun.
   * @param contentType what the function named: `application/vnd.awslambda.http-integration-response` says that a JSON
   * document (status, headers, cookies) and eight zero bytes come before the body
   */
  begin(contentType: string): void;
  /** The next bytes. No others come before the promise has resolved; who has no reader left resolves at once. */
  write(bytes: Uint8Array): Promise<void>;
}

export interface InvocationResult {
  /** The response, or the error's JSON where `functionError` is set. A response that went to a sink is not repeated here. */
  readonly payload: Uint8Array;
  readonly functionError: "Unhandled" | undefined;
  /** The last 4 KB of this invocation's log, undecoded; undefined unless asked for. */
  readonly logTail: Uint8Array | undefined;
  /** The trace header that the function was given; undefined where it was given no event. */
  readonly traceHeader?: string | undefined;
}

/** Runs functions. Rejects with an AwsError only where AWS answers Invoke itself with an error (throttles, code that cannot be opened). */
export interface Engine {
  /** Resolves once the function is done and, where there is a sink, that has taken all of the response. */
  invoke(invocation: Invocation): Promise<InvocationResult>;
  /** Ends the environments of a spec that serve nothing, and the others once they are done: called after an update or a deletion. */
  retire(specId: string): void;
  /** Sets a function's reserved and provisioned concurrency, in place of what was set for it before. */
  configureConcurrency(concurrency: FunctionConcurrency): void;
  /** How far the allotment of an alias or version is; undefined where it has none. */
  provisioned(functionArn: string, qualifier: string): ProvisionedState | undefined;
  /**
   * Finds an image by its ImageUri, and fetches its manifest and configuration.
   * @throws AwsError InvalidParameterValueException or AccessDeniedException with AWS's message
   */
  resolveImage(uri: string, architecture: FunctionSpec["architecture"]): Promise<CodePackage>;
  /** Checks and unpacks an archive, or an image. @throws AwsError InvalidParameterValueException with AWS's message */
  prepare(code: CodePackage): Promise<void>;
  /** The size of all of a package's files. @throws as `prepare` */
  unpackedBytes(code: CodePackage): Promise<number>;
  /** Nothing is given back by `reclaim` while `work` stores code, and what it stored stays until a record can refer to it. */
  deploy<T>(work: () => Promise<T>): Promise<T>;
  /**
   * Gives back the room, folders and blobs, of code that nothing has referred to for 20 minutes and no environment uses.
   * @param kept names of the folders that are referred to: `codeFolders`
   */
  reclaim(kept: ReadonlySet<string>): Promise<Reclaimed>;
  /** Tells that a function has come to be, or has changed, and may be invoked soon: its first start may be prepared. */
  anticipate(spec: FunctionSpec): void;
  /**
   * Initialises a version that is being published with SnapStart, and keeps what its environments may start from.
   * Resolves with whether its init went well. Rejects where the host, not the function, is at fault.
   */
  snapshot(spec: FunctionSpec): Promise<boolean>;
  /** Environments and invocations at this moment. */
  status(): EngineStatus;
  /** Takes no more invocations, lets those under way finish for up to `graceMs`, then ends every environment. */
  close(graceMs: number): Promise<void>;
}

export interface EngineStatus {
  readonly environments: number;
  readonly busy: number;
  readonly running: number;
}

/** Where an execution environment's log lines go. Calls are cheap and synchronous; batching is the sink's matter. */
export interface LogSink {
  write(line: LogLine): void;
}

export interface LogLine {
  readonly account: string;
  readonly region: string;
  readonly group: string;
  readonly stream: string;
  /** Epoch milliseconds. */
  readonly time: number;
  readonly message: string;
  /** Whose line it is, and the role that it is written as. */
  readonly writer: LogWriter;
}

/** Temporary credentials for an execution role. */
export interface RoleCredentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken: string;
}

/** Makes credentials for a function's role; handed to the engine by `main`. */
export interface CredentialSource {
  forFunction(spec: FunctionSpec): RoleCredentials;
}
