import { readPageToken, writePageToken } from "../page-token.ts";
import { xrayErrors } from "./errors.ts";

/** A position in a list, as an opaque token. */
export function writeToken(position: number): string {
  return writePageToken([position]);
}

/** @throws AwsError InvalidRequestException */
export function readToken(token: string | undefined): number {
  if (token === undefined || token === "") return 0;
  return readPageToken(token, ["number"] as const, xrayErrors.token)[0];
}

/** One page of a list. */
export function pageOf<T>(
  all: readonly T[],
  token: string | undefined,
  size: number,
): { page: T[]; next: { NextToken?: string } } {
  const start = readToken(token);
  const end = start + size;
  return { page: all.slice(start, end), next: end < all.length ? { NextToken: writeToken(end) } : {} };
}
