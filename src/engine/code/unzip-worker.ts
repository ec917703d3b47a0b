import { serveJobs } from "#core/worker-jobs";
import { BadArchive } from "./entries.ts";
import { mergeFolders } from "./merge.ts";
import { unzipInPlace } from "./unzip-in-place.ts";
import type { UnzipJob, UnzipOutcome } from "./unzip-thread.ts";

serveJobs<UnzipJob>(async (job) => {
  try {
    return { value: { bytes: await perform(job) } satisfies UnzipOutcome };
  } catch (error) {
    if (!(error instanceof BadArchive)) throw error;
    const { kind, message } = error;
    return { value: { refused: { kind, message } } satisfies UnzipOutcome };
  }
});

async function perform(job: UnzipJob): Promise<number | undefined> {
  if (job.task !== "merge") return unzipInPlace[job.task](job.archive, job.folder, job.limits);
  await mergeFolders(job.folders, job.target);
  return undefined;
}
