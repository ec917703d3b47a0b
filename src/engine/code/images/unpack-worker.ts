import { serveJobs } from "#core/worker-jobs";
import { BadImage } from "./errors.ts";
import type { UnpackJob } from "./unpack.ts";
import { unpack } from "./unpack.ts";
import type { UnpackOutcome } from "./unpack-thread.ts";

serveJobs<UnpackJob>(async (job) => {
  try {
    await unpack(job);
    return { value: { refused: undefined } satisfies UnpackOutcome };
  } catch (error) {
    if (!(error instanceof BadImage)) throw error;
    const { kind, message } = error;
    return { value: { refused: { kind, message } } satisfies UnpackOutcome };
  }
});
