import type { BatchResultErrorEntry } from "@aws-sdk/client-sqs";
import { AwsError } from "#core/errors";
import { sqsErrors } from "./errors.ts";
import { LIMITS } from "./limits.ts";

const ENTRY_ID = /^[A-Za-z0-9_-]{1,80}$/;

/** Checks what makes a whole batch wrong. @param entry the entries' shape, which the error names */
export function checkBatch<T extends { readonly Id: string | undefined }>(
  entries: readonly T[] | undefined,
  entry: string,
): readonly T[] {
  if (entries === undefined || entries.length === 0) throw sqsErrors.batchEmpty(entry);
  if (entries.length > LIMITS.batchEntries) throw sqsErrors.batchTooMany(entries.length);
  const seen = new Set<string>();
  for (const { Id = "" } of entries) {
    if (!ENTRY_ID.test(Id)) throw sqsErrors.batchId();
    if (seen.has(Id)) throw sqsErrors.batchIdRepeated(Id);
    seen.add(Id);
  }
  return entries;
}

/** The outcome of each entry by itself. @throws what is not an AwsError, which is nobody's input */
export function batchResult<T>(outcomes: readonly (T | AwsError)[], ids: readonly (string | undefined)[]) {
  const Successful: T[] = [];
  const Failed: BatchResultErrorEntry[] = [];
  outcomes.forEach((outcome, index) => {
    if (outcome instanceof AwsError) Failed.push(failure(ids[index] ?? "", outcome));
    else Successful.push(outcome);
  });
  return { Successful, Failed };
}

/** Codes of shapes that batches name otherwise than errors do: as query clients know them. */
const CODES: Readonly<Record<string, string>> = {
  InvalidParameterValueException: "InvalidParameterValue",
  MissingRequiredParameterException: "MissingParameter",
};

function failure(Id: string, { code, message, fault }: AwsError): BatchResultErrorEntry {
  return { Id, SenderFault: fault === "client", Code: CODES[code] ?? code, Message: message };
}

/** Runs what may fail for an entry by its own fault alone. */
export async function attempt<T>(work: () => T | Promise<T>): Promise<T | AwsError> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof AwsError) return error;
    throw error;
  }
}
