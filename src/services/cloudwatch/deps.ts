import type { Clock } from "#core/clock";
import type { Ids } from "#core/ids";
import type { Documents } from "#storage/documents";
import type { Journal } from "#storage/journal";
import type { AwsCaller } from "#wire/operation";
import type { MetricReader } from "./data/reader.ts";
import type { MetricStore } from "./data/store.ts";

export interface CloudWatchDeps {
  readonly documents: Documents;
  readonly journal: Journal;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly caller: AwsCaller;
  readonly store: MetricStore;
  readonly reader: MetricReader;
  readonly onError: (error: unknown) => void;
}
