import type * as LambdaClient from "@aws-sdk/client-lambda";
import type { Clock } from "#core/clock";
import type { Ids } from "#core/ids";
import type { Engine, MetricSink } from "#engine/contract";
import type { Blobs } from "#storage/blobs";
import type { AwsCaller } from "#wire/operation";
import type { AsyncEvents } from "./async-events.ts";
import type { AsyncInvoker } from "./async-invoker.ts";
import type { Concurrency } from "./concurrency.ts";
import type { Delivery } from "./delivery.ts";
import type { DownloadLinks } from "./download-links.ts";
import type { Lifecycle } from "./lifecycle.ts";
import type { Mappings } from "./mappings/mappings.ts";
import type { RoleMay } from "./role-permissions.ts";
import type { Resolver } from "./resolver.ts";
import type { LambdaStore } from "./store.ts";

/** The official client's module, whose types type the handlers. Never imported at run time. */
export type LambdaClientModule = typeof LambdaClient;

/** Whether a role is there, and lets Lambda assume it for a function. */
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
  readonly asyncEvents: AsyncEvents;
  /** Calls operations of other services. */
  readonly caller: AwsCaller;
  readonly delivery: Delivery;
  readonly links: DownloadLinks;
  readonly clock: Clock;
  readonly ids: Ids;
  /** A number from 0, inclusive, to 1: weighs an alias's versions. */
  readonly random: () => number;
  readonly account: AccountSettings;
  readonly concurrency: Concurrency;
  readonly metrics: MetricSink | undefined;
  readonly mappings: Mappings;
  readonly roleMay: RoleMay;
  /** Whether a role is there, and lets Lambda assume it for a function. */
  readonly assumable: Assumable;
  /** Told of each function that was deleted. @param arn unqualified */
  readonly onDeleted: (arn: string) => void;
}
