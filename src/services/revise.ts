import type { Change, Document, DocumentKey, Documents } from "#storage/documents";
import { RevisionConflict } from "#storage/documents";

/**
 * Reads a document, decides on the changes, and commits them on condition that the document is still as it was read;
 * on a conflict it starts again. `decide` may throw an AwsError, or return no changes to write nothing. It must give
 * `expected` wherever it relies on another document than `key`; a change of `key` itself gets it here.
 */
export async function revise<T>(
  documents: Documents,
  key: DocumentKey,
  decide: (current: Document<T> | undefined) => readonly Change[],
): Promise<void> {
  for (;;) {
    const current = documents.get<T>(key);
    const changes = decide(current).map((change) =>
      change.key === key && change.expected === undefined
        ? { ...change, expected: current?.revision ?? 0 }
        : change,
    );
    if (changes.length === 0) return;
    try {
      await documents.commit(changes);
      return;
    } catch (error) {
      if (!(error instanceof RevisionConflict)) throw error;
    }
  }
}
