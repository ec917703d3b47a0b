import type { Clock } from "#core/clock";
import type { Ids } from "#core/ids";
import type { Principal } from "#core/principal";
import type { Config } from "#config/settings";
import type { RoleOwner } from "#services/lambda/names";
import type { Storage } from "#storage/storage";
import type { createPlatformLog } from "#telemetry/platform-log";
import type { AggregatingMetricSink } from "#telemetry/metric-sink";
import type { Drops } from "./drops.ts";
import type { AwsCaller } from "#wire/operation";
import type { Models } from "#wire/schema/load";

/** Where the platform's own files are. */
export interface Installation {
  /** The folder that holds `guest/` and `node_modules/`. */
  readonly home: string;
  readonly version: string;
}

/** What every part of the platform may be made with. */
export interface Shared extends SharedByServices {
  readonly config: Config;
  readonly installation: Installation;
  /** A function's role, where Lambda itself acts as it: for pollers, destinations, logs and traces. */
  readonly rolePrincipal: (owner: RoleOwner) => Principal;
}

/** What the services round Lambda are made with. */
export interface SharedByServices {
  readonly storage: Storage;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly log: ReturnType<typeof createPlatformLog>;
  readonly metrics: AggregatingMetricSink;
  readonly drops: Drops;
  /** Calls operations of other services. */
  readonly caller: AwsCaller;
  /** 32 bytes that are this data folder's alone. */
  readonly key: Buffer;
  /** The services' schemas, each read when it is first needed. */
  readonly models: Models;
  /** The platform's own address, such as `http://127.0.0.1:4566`, for links; empty until it listens. */
  readonly url: () => string;
}
