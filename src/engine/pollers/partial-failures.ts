/**
 * Which records of a batch a function's answer tells to have failed (AWS Lambda Developer Guide, "Implementing partial
 * batch responses", "Success and failure conditions"): none where the answer, or its list, is empty or null; all where
 * the answer is no such list, or names what the batch does not hold.
 */
export function failuresOf(payload: Uint8Array, ids: ReadonlySet<string>): ReadonlySet<string> {
  let answer: unknown;
  try {
    answer = JSON.parse(Buffer.from(payload).toString() || "null");
  } catch {
    return ids;
  }
  // Recorded: an empty string is a success (kinesis empty_string_success).
  if (answer === null || answer === "") return new Set();
  if (typeof answer !== "object" || Array.isArray(answer)) return ids;
  const listed = (answer as { readonly batchItemFailures?: unknown }).batchItemFailures;
  if (listed === undefined || listed === null) return new Set();
  if (!Array.isArray(listed)) return ids;
  const failed = new Set<string>();
  for (const item of listed as readonly unknown[]) {
    const id = (item as { readonly itemIdentifier?: unknown } | null)?.itemIdentifier;
    if (typeof id !== "string" || !ids.has(id)) return ids;
    failed.add(id);
  }
  return failed;
}
