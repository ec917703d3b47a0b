import type { SqsDeps } from "./deps.ts";
import type { SqsMetrics } from "./metrics.ts";
import type { MoveTasks } from "./move-tasks.ts";
import type { Waiting } from "./waiting.ts";

/** What the operations share beside that. */
export interface SqsContext extends Omit<SqsDeps, "metrics"> {
  readonly metrics: SqsMetrics;
  readonly waiting: Waiting;
  readonly moveTasks: MoveTasks;
}
