import { sqsErrors } from "./errors.ts";

/** A page token holds the last name that was shown; clients treat it as opaque. */
export function writePageToken(name: string): string {
  return Buffer.from(JSON.stringify([name])).toString("base64url");
}

/** @throws AwsError InvalidParameterValue */
export function readPageToken(token: string): string {
  try {
    const parsed: unknown = JSON.parse(Buffer.from(token, "base64url").toString());
    if (Array.isArray(parsed) && typeof parsed[0] === "string" && parsed[0].isWellFormed()) return parsed[0];
  } catch {
    // It is none of ours.
  }
  throw sqsErrors.parameter("Invalid NextToken value.");
}
