import type { Clock } from "#core/clock";
import type { Documents } from "#storage/documents";
import type { MetricReader } from "./data/reader.ts";
import type { MetricStore } from "./data/store.ts";

export interface CloudWatchDeps {
  readonly documents: Documents;
  readonly clock: Clock;
  readonly store: MetricStore;
  readonly reader: MetricReader;
}
