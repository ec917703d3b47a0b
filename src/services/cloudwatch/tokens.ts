import { cloudwatchErrors } from "./errors.ts";

/** An opaque token: a short tuple that says after what to go on. */
export function writeToken(parts: readonly (string | number)[]): string {
  return Buffer.from(JSON.stringify(parts)).toString("base64url");
}

/** @param shape the types of the token's parts @throws AwsError InvalidNextToken */
export function readToken<const Shape extends readonly ("string" | "number")[]>(
  text: string,
  shape: Shape,
): { [Index in keyof Shape]: Shape[Index] extends "string" ? string : number } {
  let parts: unknown;
  try {
    parts = JSON.parse(Buffer.from(text, "base64url").toString("utf8"));
  } catch {
    throw cloudwatchErrors.nextToken();
  }
  const fits =
    Array.isArray(parts) &&
    parts.length === shape.length &&
    shape.every((type, index) => typeof parts[index] === type && isKeyElement(parts[index]));
  if (!fits) throw cloudwatchErrors.nextToken();
  return parts as { [Index in keyof Shape]: Shape[Index] extends "string" ? string : number };
}

/** Whether it can stand in a storage key: no other value was ever in a token of ours. */
function isKeyElement(part: unknown): boolean {
  return typeof part === "string" ? part.isWellFormed() : Number.isSafeInteger(part) && (part as number) >= 0;
}
