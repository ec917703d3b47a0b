import { xrayErrors } from "./errors.ts";

/** A position in a list, as an opaque token. */
export function writeToken(position: number): string {
  return Buffer.from(`x${position}`).toString("base64url");
}

/** @throws AwsError InvalidRequestException */
export function readToken(token: string | undefined): number {
  if (token === undefined || token === "") return 0;
  const [, digits] = /^x(\d{1,12})$/u.exec(Buffer.from(token, "base64url").toString()) ?? [];
  if (digits === undefined) throw xrayErrors.token();
  return Number(digits);
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
