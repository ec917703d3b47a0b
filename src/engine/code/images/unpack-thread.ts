import type { Clock } from "#core/clock";
import { WorkerThread } from "#core/worker-thread";
import { BadImage } from "./errors.ts";
import type { Unpack, UnpackJob } from "./unpack.ts";

/** Images that are unpacked side by side. */
const PARALLEL = 2;

/** A BadImage as it passes between threads. */
export interface UnpackOutcome {
  readonly refused: { readonly kind: BadImage["kind"]; readonly message: string } | undefined;
}

export interface UnpackThreadOptions {
  readonly clock: Clock;
  /** The compiled `unpack-worker.ts`; by default the one beside this module, which is right once both are compiled. */
  readonly workerUrl?: URL;
}

/** Unpacks images in a thread of their own: a layer has tens of thousands of files. */
export function createUnpackThread(options: UnpackThreadOptions): { unpack: Unpack; close(): Promise<void> } {
  const { clock, workerUrl = new URL("./unpack-worker.js", import.meta.url) } = options;
  const thread = new WorkerThread<UnpackJob, UnpackOutcome>({ url: workerUrl, clock, parallel: PARALLEL });
  return {
    async unpack(job) {
      const { refused } = await thread.run(job);
      if (refused !== undefined) throw new BadImage(refused.kind, refused.message);
    },
    close: () => thread.close(),
  };
}
