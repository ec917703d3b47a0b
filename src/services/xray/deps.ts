import type { Clock } from "#core/clock";
import type { Principal } from "#core/principal";
import type { Documents } from "#storage/documents";
import type { Scope } from "./scope.ts";
import type { SegmentStore } from "./segments/store.ts";

export interface XRayDeps {
  readonly documents: Documents;
  readonly clock: Clock;
  readonly segments: SegmentStore;
  /** Told of documents once they are on disk. */
  readonly onTaken?: ((taken: SegmentsTaken) => void) | undefined;
}

export interface SegmentsTaken {
  readonly scope: Scope;
  readonly principal: Principal;
  readonly documents: readonly string[];
}
