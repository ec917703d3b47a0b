import { serveJobs } from "#core/worker-jobs";
import { LocalRunner } from "./runner.ts";
import type { QueryJob } from "./thread.ts";

// A thread serves one query.
const runner = new LocalRunner();

serveJobs<QueryJob>(async (job) => {
  switch (job.kind) {
    case "start":
      return { value: await runner.start(job.query) };
    case "push":
      return { value: await runner.push(job.blocks) };
    default:
      return { value: await runner.finish() };
  }
});
