import { serveJobs } from "#core/worker-jobs";
import { BadArchive, unzip } from "./unzip.ts";
import type { UnzipJob, UnzipOutcome } from "./unzip-thread.ts";

serveJobs<UnzipJob>(async ({ archive, target, limits }) => {
  try {
    await unzip(archive, target, limits);
    return { value: { refused: undefined } satisfies UnzipOutcome };
  } catch (error) {
    if (!(error instanceof BadArchive)) throw error;
    const { kind, message } = error;
    return { value: { refused: { kind, message } } satisfies UnzipOutcome };
  }
});
