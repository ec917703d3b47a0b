import { sqsErrors } from "./errors.ts";
import { LIMITS } from "./limits.ts";

const CHARACTERS = /^[\p{L}\p{Z}\p{N}_.:/=+\-@]*$/u;

/** @throws AwsError InvalidParameterValue */
export function checkTags(tags: Readonly<Record<string, string>>): void {
  const entries = Object.entries(tags);
  if (entries.length > LIMITS.tags)
    throw sqsErrors.parameter(`Too many tags added for queue. Maximum is ${LIMITS.tags}.`);
  for (const [key, value] of entries) {
    if (key === "") throw sqsErrors.parameter("Tag keys must be between 1 and 128 characters in length.");
    if (key.length > LIMITS.tagKey || !CHARACTERS.test(key))
      throw sqsErrors.parameter("Tag keys must be between 1 and 128 characters in length.");
    if (/^aws:/i.test(key)) throw sqsErrors.parameter("System tags cannot be added/updated by requester");
    if (value.length > LIMITS.tagValue || !CHARACTERS.test(value))
      throw sqsErrors.parameter("Tag values must be between 0 and 256 characters in length.");
  }
}
