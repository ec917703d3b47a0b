import { readPageToken, writePageToken } from "../page-token.ts";
import { analyzerErrors } from "./errors.ts";
import { LIMITS } from "./limits.ts";

/** One page of a list. @throws AwsError ValidationException */
export function pageOf<T>(
  all: readonly T[],
  {
    nextToken,
    maxResults = LIMITS.page,
  }: { readonly nextToken?: string | undefined; readonly maxResults?: number | undefined },
): { readonly page: T[]; readonly next: { nextToken?: string } } {
  if (maxResults < 1) throw analyzerErrors.invalid("maxResults must be greater than 0.");
  const start =
    nextToken === undefined
      ? 0
      : readPageToken(nextToken, ["number"] as const, () =>
          analyzerErrors.invalid("nextToken is not valid."),
        )[0];
  const end = start + Math.min(maxResults, LIMITS.largestPage);
  return { page: all.slice(start, end), next: end < all.length ? { nextToken: writePageToken([end]) } : {} };
}
