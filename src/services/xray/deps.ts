import type { Clock } from "#core/clock";
import type { Documents } from "#storage/documents";
import type { SegmentStore } from "./segments/store.ts";

export interface XRayDeps {
  readonly documents: Documents;
  readonly clock: Clock;
  readonly segments: SegmentStore;
}
