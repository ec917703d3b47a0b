import { serveJobs } from "#core/worker-jobs";
import { BadArchive } from "./entries.ts";
import { unzip } from "./unzip.ts";
import type { UnzipJob, UnzipOutcome } from "./unzip-thread.ts";

serveJobs<UnzipJob>(async ({ archive, target, limits }) => {
  try {
    const bytes = await unzip(archive, target, limits);
    return { value: { bytes } satisfies UnzipOutcome };
  } catch (error) {
    if (!(error instanceof BadArchive)) throw error;
    const { kind, message } = error;
    return { value: { refused: { kind, message } } satisfies UnzipOutcome };
  }
});
