import type { Document, Documents } from "#storage/documents";
import { RevisionConflict } from "#storage/documents";
import {
  type BucketDocument,
  type BucketRequest,
  type BucketSettings,
  requireBucket,
  type Scope,
} from "./store.ts";

/**
 * Changes a bucket's settings, again where another change came first. What `change` leaves undefined is removed.
 * @throws AwsError NoSuchBucket, and what `change` throws
 */
export async function reviseSettings(
  documents: Documents,
  call: Scope,
  request: BucketRequest,
  change: (
    settings: BucketSettings,
    bucket: BucketDocument,
  ) => { [Name in keyof BucketSettings]?: BucketSettings[Name] | undefined },
): Promise<void> {
  for (;;) {
    const found: Document<BucketDocument> = requireBucket(documents, call, request);
    // JSON leaves out what is undefined.
    const settings = { ...found.value.settings, ...change(found.value.settings, found.value) };
    const value = { ...found.value, settings };
    try {
      // oxlint-disable-next-line no-await-in-loop -- each turn answers the conflict of the one before
      await documents.commit([{ key: found.key, value, expected: found.revision }]);
      return;
    } catch (error) {
      if (!(error instanceof RevisionConflict)) throw error;
    }
  }
}
