import type { ServiceDefinition } from "#wire/operation";
import { createS3Authorisation } from "./authorisation.ts";
import { ObjectBytes } from "./bytes.ts";
import type { S3Deps, S3Options } from "./deps.ts";
import { EventLog } from "./notifications/events.ts";
import { bucketOperations } from "./operations/buckets.ts";
import { deleteOperations } from "./operations/deletes.ts";
import { listOperations } from "./operations/lists.ts";
import { objectOperations } from "./operations/objects.ts";
import { versionListOperations } from "./operations/version-lists.ts";
import { Versions } from "./versions.ts";

export interface S3Service extends ServiceDefinition {
  /** Removes what a crash left behind. To be called once, before the first request. */
  start(): Promise<void>;
  /** Waits for what is being removed. */
  stop(graceMs: number): Promise<void>;
}

/** Simple Storage Service: buckets, objects, and what happens to them. */
export function createS3Service(options: S3Options): S3Service {
  const bytes = new ObjectBytes(options);
  const deps: S3Deps = {
    ...options,
    bytes,
    versions: new Versions({ ...options, bytes }),
    events: new EventLog(options.clock),
  };
  return {
    name: "s3",
    authorisation: createS3Authorisation(options.documents),
    operations: {
      ...bucketOperations(deps),
      ...objectOperations(deps),
      ...deleteOperations(deps),
      ...listOperations(deps),
      ...versionListOperations(deps),
    },
    start: () => bytes.sweep(),
    stop: () => bytes.idle(),
  };
}
