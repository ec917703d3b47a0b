import { serveJobs } from "#core/worker-jobs";
import { BadArchive } from "./entries.ts";
import { unzipInPlace } from "./unzip-in-place.ts";
import type { UnzipJob, UnzipOutcome } from "./unzip-thread.ts";

serveJobs<UnzipJob>(async ({ task, archive, folder, limits }) => {
  try {
    const bytes = await unzipInPlace[task](archive, folder, limits);
    return { value: { bytes } satisfies UnzipOutcome };
  } catch (error) {
    if (!(error instanceof BadArchive)) throw error;
    const { kind, message } = error;
    return { value: { refused: { kind, message } } satisfies UnzipOutcome };
  }
});
