import type { Clock } from "#core/clock";
import type { Ids } from "#core/ids";
import type { Documents } from "#storage/documents";
import type { Journal } from "#storage/journal";
import type { Ingestion } from "./ingestion.ts";

export interface LogsDeps {
  readonly documents: Documents;
  readonly journal: Journal;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly ingestion: Ingestion;
}
