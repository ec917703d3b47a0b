import type { SqsDeps } from "./deps.ts";
import type { MoveTasks } from "./move-tasks.ts";
import type { Waiting } from "./waiting.ts";

/** What the operations share beside that. */
export interface SqsContext extends SqsDeps {
  readonly waiting: Waiting;
  readonly moveTasks: MoveTasks;
}
