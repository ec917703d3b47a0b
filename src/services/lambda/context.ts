import type * as LambdaClient from "@aws-sdk/client-lambda";
import type { Clock } from "#core/clock";
import type { Ids } from "#core/ids";
import type { Engine, MetricSink } from "#engine/contract";
import type { Blobs } from "#storage/blobs";
import type { Concurrency } from "./concurrency.ts";
import type { DownloadLinks } from "./download-links.ts";
import type { Lifecycle } from "./lifecycle.ts";
import type { Resolver } from "./resolver.ts";
import type { LambdaStore } from "./store.ts";

/** The official client's module, whose types type the handlers. Never imported at run time. */
export type LambdaClientModule = typeof LambdaClient;

/** An event that the caller does not wait for. */
export interface AsyncInvocation {
  readonly account: string;
  readonly region: string;
  readonly functionName: string;
  /** As the caller gave it: an alias is looked up again when the event is delivered. */
  readonly qualifier: string | undefined;
  readonly requestId: string;
  readonly payload: Uint8Array;
  /** The client context's JSON, already decoded from base64. */
  readonly clientContext: string | undefined;
  readonly traceHeader: string | undefined;
  readonly tenantId?: string | undefined;
  /** Epoch milliseconds. */
  readonly acceptedAt: number;
}

/** Takes events for later; resolves once they are on disk. */
export interface AsyncInvoker {
  accept(invocation: AsyncInvocation): Promise<void>;
}

export type Assumable = (roleArn: string, functionArn: string) => boolean;

/** The account's limits that GetAccountSettings shows. */
export interface AccountSettings {
  readonly concurrentExecutions: number;
}

/** What the handlers share. */
export interface LambdaContext {
  readonly store: LambdaStore;
  readonly lifecycle: Lifecycle;
  readonly resolver: Resolver;
  readonly blobs: Blobs;
  readonly engine: Engine;
  readonly asyncInvoker: AsyncInvoker;
  readonly links: DownloadLinks;
  readonly clock: Clock;
  readonly ids: Ids;
  /** A number from 0, inclusive, to 1: weighs an alias's versions. */
  readonly random: () => number;
  readonly account: AccountSettings;
  readonly concurrency: Concurrency;
  readonly metrics: MetricSink | undefined;
  /** Whether a role is there, and lets Lambda assume it for a function. */
  readonly assumable: Assumable;
  /** Services, as ARNs name them, whose event sources are polled. */
  readonly polled: ReadonlySet<string>;
}
