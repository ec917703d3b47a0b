import { createHash } from "node:crypto";
import type { Ids } from "#core/ids";
import { errors } from "./errors.ts";
import { functionArn, type Scope } from "./names.ts";
import { keys, type LambdaStore } from "./store.ts";

/** "approximately 16 times" (developer guide, "Use Lambda recursive loop detection to prevent infinite loops"). */
const MOST = 16;
const LINEAGE = /;?Lineage=1:([^;]*)/;
/** More functions than this in one chain are no lineage that was written here. */
const MOST_FUNCTIONS = 32;

/**
 * Counts how often a chain of events has come to a function, as AWS does it: in the trace header, which AWS's SDKs pass
 * on from within functions. A call without one starts a chain.
 * @returns the header to run the function with
 * @throws AwsError RecursiveInvocationException where the function is in a loop, unless loops are allowed to it
 */
export function extendLineage(
  store: LambdaStore,
  scope: Scope,
  name: string,
  header: string | undefined,
): string | undefined {
  if (header === undefined) return undefined;
  const hash = hashOf(scope, name);
  const counts = countsOf(header);
  const count = (counts.get(hash) ?? 0) + 1;
  if (count > MOST && store.documents.get(keys.recursion(scope, name)) === undefined)
    throw errors.recursiveLoop();
  counts.set(hash, Math.min(count, 32_767));
  const written = [...counts].map(([of, times]) => `${of}:${times}`).join("|");
  return `${header.replace(LINEAGE, "")};Lineage=1:${written}`;
}

/**
 * The header to run a function with for many events at once: that of the event which has come to it most often.
 * @throws as `extendLineage`
 */
export function latestLineage(
  store: LambdaStore,
  scope: Scope,
  name: string,
  headers: readonly (string | undefined)[],
): string | undefined {
  const hash = hashOf(scope, name);
  const given = headers.filter((header) => header !== undefined);
  const [latest] = given.toSorted((a, b) => (countsOf(b).get(hash) ?? 0) - (countsOf(a).get(hash) ?? 0));
  return extendLineage(store, scope, name, latest);
}

function countsOf(header: string): Map<string, number> {
  const counts = new Map<string, number>();
  for (const part of (LINEAGE.exec(header)?.[1] ?? "").split("|").slice(0, MOST_FUNCTIONS)) {
    const [, of, count] = /^([0-9a-f]{8}):(\d{1,5})$/.exec(part) ?? [];
    if (of !== undefined) counts.set(of, Number(count));
  }
  return counts;
}

/**
 * A header for what a function's event that came without one leads to: the start of a chain, of which the function is
 * the first link. It belongs to the function's trace, where that is recorded; otherwise it is left to what comes next
 * whether anything is.
 * @param traced the header of the function's traced run
 * @param now epoch milliseconds
 */
export function startLineage(
  scope: Scope,
  name: string,
  traced: string | undefined,
  now: number,
  ids: Ids,
): string {
  const trace = traced ?? `Root=1-${Math.floor(now / 1000).toString(16)}-${ids.hex(24)}`;
  return `${trace};Lineage=1:${hashOf(scope, name)}:1`;
}

function hashOf(scope: Scope, name: string): string {
  return createHash("sha256").update(functionArn(scope, name)).digest("hex").slice(0, 8);
}
