import type { Clock } from "#core/clock";
import { WorkerThread } from "#core/worker-thread";
import type { QueryOutcome } from "./run.ts";
import type { QueryRunner, QueryText, StreamBlocks } from "./runner.ts";

export type QueryJob =
  | { readonly kind: "start"; readonly query: QueryText }
  | { readonly kind: "push"; readonly blocks: StreamBlocks }
  | { readonly kind: "finish" };

/** A query may fill so much memory with what it sorts, groups and tells apart, in MB. */
const HEAP_MB = 1024;

/** Runs a query in a thread of its own: it may take long, and its regular expressions may take for ever. */
export function createQueryThread(
  clock: Clock,
  url = new URL("./query-worker.js", import.meta.url),
): QueryRunner {
  const thread = new WorkerThread<QueryJob, unknown>({ url, clock, parallel: 1, heapMb: HEAP_MB });
  return {
    async start(query) {
      await thread.run({ kind: "start", query });
    },
    async push(blocks) {
      const buffers = blocks.blocks.map(({ bytes }) => bytes.buffer);
      await thread.run({ kind: "push", blocks }, buffers);
    },
    finish: async () => (await thread.run({ kind: "finish" })) as QueryOutcome,
    close: () => thread.close(),
  };
}
