import type { Clock } from "#core/clock";
import type { Ids } from "#core/ids";
import type { Blobs } from "#storage/blobs";
import type { Unpack } from "./code/images/unpack.ts";
import type { Unzip } from "./code/unzip-in-place.ts";
import type { CredentialSource, GuestTraces, LogSink, MetricSink, TraceSink, UsageSink } from "./contract.ts";
import type { SandboxBackend } from "./sandbox/contract.ts";

export interface EngineOptions {
  /** The data folder; the engine keeps `code`, `images`, `environments` and `runtimes` in it. */
  readonly folder: string;
  /** Where `installRuntime` puts interpreters: out of the data folder, which may be temporary. */
  readonly runtimesFolder?: string;
  readonly blobs: Blobs;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly log: LogSink;
  /** Default: nobody wants them. */
  readonly metrics?: MetricSink;
  /** Where it is counted what AWS would bill. Default: nowhere. */
  readonly usage?: UsageSink;
  /** Where segments go. Default: nothing is traced. */
  readonly traces?: TraceSink;
  /** Takes what environments send to X-Ray's daemon. Default: nobody listens to them. */
  readonly guestTraces?: GuestTraces;
  /** For sampling: a number from 0 to below 1. Default: Math.random. */
  readonly random?: () => number;
  readonly credentials: CredentialSource;
  /** Told of errors of the engine's own that no caller is told of. Default: nobody is. */
  readonly onError?: (error: unknown) => void;
  /** Where functions reach the platform; asked at every cold start, since the port may be chosen late. */
  readonly endpointUrl: () => string;
  /** The addresses that everybody else knows the platform by. Default: that one alone. */
  readonly publicUrls?: () => readonly string[];
  /** The folder that holds `nodejs/bootstrap.cjs` and `python/bootstrap.py`. */
  readonly guestFolder: string;
  /** The platform's `node_modules`. */
  readonly nodeModulesFolder: string;
  /** PATH, for finding interpreters. */
  readonly path: string;
  /** How packages are unpacked. Default: in the calling thread. */
  readonly unzip?: Unzip;
  /** How images are unpacked. Default: in the calling thread. */
  readonly unpackImage?: Unpack;
  /** Where image layouts and archives may be taken from. Default: nowhere. */
  readonly imagesFolder?: string | undefined;
  /** The walls round environments. Default: plain processes. */
  readonly backend?: SandboxBackend;
  /** Concurrent executions per account and region. Default 1,000, AWS's own. */
  readonly concurrencyLimit?: number;
  /** Environments of this node. Default: `concurrencyLimit`. */
  readonly maxEnvironments?: number;
  /** Booted runtimes that wait for a function, at most. Default 16. */
  readonly maxStems?: number;
  /** Environments of SnapStart functions that were initialised ahead, at most. Default 32. */
  readonly maxSnapshots?: number;
  /** Idle environments end after this. Default 10 minutes. */
  readonly idleMs?: number;
}
