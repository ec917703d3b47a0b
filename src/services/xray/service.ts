import type { Clock } from "#core/clock";
import type { Ids } from "#core/ids";
import type { Documents } from "#storage/documents";
import type { Journal } from "#storage/journal";
import type { ServiceDefinition } from "#wire/operation";
import { createXRayAuthorisation } from "./authorisation.ts";
import { graphOperations } from "./operations/graph.ts";
import { groupOperations } from "./operations/groups.ts";
import { indexingOperations } from "./operations/indexing.ts";
import { insightOperations } from "./operations/insights.ts";
import { policyOperations } from "./operations/policies.ts";
import { retrievalOperations } from "./operations/retrievals.ts";
import { samplingOperations } from "./operations/sampling.ts";
import { segmentOperations } from "./operations/segments.ts";
import { settingOperations } from "./operations/settings.ts";
import { tagOperations } from "./operations/tags.ts";
import { traceOperations } from "./operations/traces.ts";
import type { XRayDeps } from "./deps.ts";
import { Retrievals } from "./retrievals.ts";
import { Reservoirs } from "./reservoirs.ts";
import { SegmentStore } from "./segments/store.ts";

export interface XRayServiceOptions {
  readonly documents: Documents;
  readonly journal: Journal;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly onError: (error: unknown) => void;
  readonly onTaken?: XRayDeps["onTaken"];
}

export interface XRayService extends ServiceDefinition {
  /** Removes traces that are older than AWS keeps them, now and then. */
  start(): void;
  stop(): void;
  /** Forgets what it holds in memory; call after the storage was emptied. */
  reset(): void;
}

/** X-Ray: traces, what is asked of them, and the rules by which clients sample. */
export function createXRayService({
  documents,
  journal,
  clock,
  ids,
  onError,
  onTaken,
}: XRayServiceOptions): XRayService {
  const segments = new SegmentStore({ documents, journal, clock, onError });
  const reservoirs = new Reservoirs(clock);
  const retrievals = new Retrievals(ids);
  const deps = { documents, clock, segments, onTaken };
  return {
    name: "xray",
    authorisation: createXRayAuthorisation(documents),
    operations: {
      ...segmentOperations(deps),
      ...traceOperations(deps),
      ...graphOperations(deps),
      ...groupOperations(deps, ids),
      ...samplingOperations(deps, reservoirs),
      ...tagOperations(deps),
      ...settingOperations(),
      ...insightOperations(deps),
      ...policyOperations(deps, ids),
      ...indexingOperations(deps),
      ...retrievalOperations(deps, retrievals),
    },
    start: () => segments.start(),
    stop: () => segments.stop(),
    reset: () => {
      reservoirs.reset();
      retrievals.reset();
    },
  };
}
