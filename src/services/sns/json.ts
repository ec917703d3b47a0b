import { JsonSyntaxError } from "#patterns/event/error";
import { readJson } from "#patterns/event/json";
import { snsErrors } from "./errors.ts";

/** An object out of JSON text, not yet looked at. */
export type Members = Readonly<Record<string, unknown>>;

/** Longer than any policy that means something. */
const MAX_CHARACTERS = 65_536;

/**
 * Reads an attribute that is JSON.
 * @param where what stands before the attribute's name in errors, such as "Attributes Reason: "
 * @throws AwsError InvalidParameter in the words of AWS's parser (recorded: test_validate_set_sub_attributes)
 */
export function requireJsonObject(text: string, name: string, where = ""): Members {
  if (text.length > MAX_CHARACTERS) throw snsErrors.parameter(`${where}${name}: too long`);
  try {
    // JSON.parse alone says what is wrong in words of its own.
    readJson(text);
  } catch (error) {
    if (error instanceof JsonSyntaxError) throw jsonError(error, name, where);
    throw error;
  }
  const value: unknown = JSON.parse(text);
  if (!isMembers(value)) throw snsErrors.parameter(`${where}${name}: must be a JSON object`);
  return value;
}

export function jsonError({ message, line, column }: JsonSyntaxError, name: string, where: string) {
  const source = "[Source: REDACTED (`StreamReadFeature.INCLUDE_SOURCE_IN_LOCATION` disabled)";
  return snsErrors.parameter(
    `${where}${name}: failed to parse JSON. ${message}\n at ${source}; line: ${line}, column: ${column}]`,
  );
}

export function isMembers(value: unknown): value is Members {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
