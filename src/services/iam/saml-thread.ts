import type { Clock } from "#core/clock";
import { WorkerThread } from "#core/worker-thread";
import { readSamlMetadata, type SamlValidity, validityOf } from "./saml-metadata.ts";

/** Checks metadata, and tells until when it is valid. @throws AwsError InvalidInput */
export type ReadSaml = (metadata: string) => Promise<SamlValidity>;

/**
 * Shorter metadata is read in place, in 15 ms at the most; that of real providers has some thousand characters. 10 MB, all
 * of them certificates, took two seconds.
 */
const SHORT = 64 * 1024;

/** Reads long metadata in a thread, one document at a time. */
export function createSamlThread(
  clock: Clock,
  url = new URL("./saml-worker.js", import.meta.url),
): { readonly read: ReadSaml; close(): Promise<void> } {
  const thread = new WorkerThread<string, SamlValidity>({ url, clock, parallel: 1 });
  return {
    read: async (metadata) =>
      metadata.length <= SHORT ? validityOf(readSamlMetadata(metadata)) : thread.run(metadata),
    close: () => thread.close(),
  };
}
