import type { Clock } from "#core/clock";
import type { Ids } from "#core/ids";
import type { Documents } from "#storage/documents";
import type { Queue } from "#storage/queue";
import type { Outbox } from "./outbox.ts";

/** What operations are made with. */
export interface SnsDeps {
  readonly documents: Documents;
  readonly queue: Queue;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly outbox: Outbox;
}
