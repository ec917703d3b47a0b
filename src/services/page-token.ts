import type { AwsError } from "#core/errors";

type Parts<Shape extends readonly ("string" | "number")[]> = {
  [Index in keyof Shape]: Shape[Index] extends "string" ? string : number;
};

/** An opaque token: a short tuple that says after what to go on. */
export function writePageToken(parts: readonly (string | number)[]): string {
  return Buffer.from(JSON.stringify(parts)).toString("base64url");
}

/**
 * @param shape the types of the token's parts
 * @param refuse makes the service's own error, which is thrown for what was never a token of ours
 */
export function readPageToken<const Shape extends readonly ("string" | "number")[]>(
  text: string,
  shape: Shape,
  refuse: () => AwsError,
): Parts<Shape> {
  let parts: unknown;
  try {
    parts = JSON.parse(Buffer.from(text, "base64url").toString("utf8"));
  } catch {
    throw refuse();
  }
  const fits =
    Array.isArray(parts) &&
    parts.length === shape.length &&
    shape.every((type, index) => typeof parts[index] === type && isKeyElement(parts[index]));
  if (!fits) throw refuse();
  return parts as Parts<Shape>;
}

/** Whether it can stand in a storage key: no other value was ever in a token of ours. */
function isKeyElement(part: unknown): boolean {
  return typeof part === "string" ? part.isWellFormed() : Number.isSafeInteger(part) && (part as number) >= 0;
}
