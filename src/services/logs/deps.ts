import type { Clock } from "#core/clock";
import type { Documents } from "#storage/documents";
import type { Journal } from "#storage/journal";
import type { Ingestion } from "./ingestion.ts";

export interface LogsDeps {
  readonly documents: Documents;
  readonly journal: Journal;
  readonly clock: Clock;
  readonly ingestion: Ingestion;
}
