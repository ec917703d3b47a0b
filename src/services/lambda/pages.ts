import { errors } from "./errors.ts";
import { LIMITS } from "./limits.ts";

/** Where a list goes on: the last key elements that the page before showed. */
export type Position = readonly (string | number)[];

/** Clients must not read a marker, so it is base64url; what is in it is checked like any other input. */
export function writeMarker(position: Position): string {
  return Buffer.from(JSON.stringify(position)).toString("base64url");
}

/** @throws AwsError InvalidParameterValueException where `marker` was not made by `writeMarker` for such a list */
export function readMarker<Shape extends Position>(
  marker: string | undefined,
  shape: { readonly [Index in keyof Shape]: "string" | "number" },
): Shape | undefined {
  if (marker === undefined || marker === "") return undefined;
  let value: unknown;
  try {
    value = JSON.parse(Buffer.from(marker, "base64url").toString());
  } catch {
    throw errors.invalidMarker();
  }
  const fits =
    Array.isArray(value) &&
    value.length === shape.length &&
    value.every((element, index) => typeof element === shape[index] && isKeyElement(element));
  if (!fits) throw errors.invalidMarker();
  return value as Shape;
}

/** Whether it can stand in a storage key: no other value was ever in a marker of ours. */
function isKeyElement(element: unknown): boolean {
  return typeof element === "string"
    ? element.isWellFormed()
    : Number.isSafeInteger(element) && (element as number) >= 0;
}

export function pageSize(maxItems: number | undefined): number {
  return Math.min(maxItems ?? LIMITS.pageItems, LIMITS.pageItems);
}

/** Takes up to `size` items; `more` tells whether there was another. */
export function takePage<T>(
  items: Iterable<T>,
  size: number,
): { readonly page: T[]; readonly more: boolean } {
  const page: T[] = [];
  for (const item of items) {
    if (page.length === size) return { page, more: true };
    page.push(item);
  }
  return { page, more: false };
}
