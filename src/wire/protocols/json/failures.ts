import { AwsError } from "#core/errors";

/** What was found where a JSON value of another type belongs. */
type Expected =
  | "String"
  | "Integer"
  | "Long"
  | "Double"
  | "Float"
  | "Boolean"
  | "Blob"
  | "Timestamp"
  | "Short"
  | "Byte"
  | "BigInteger"
  | "BigDecimal";

/**
 * A request that is not of its operation's form. An empty message is AWS's own choice for a document that is not JSON at
 * all: its response has no message then.
 */
export function serializationFailure(message = ""): AwsError {
  return new AwsError("SerializationException", message, { status: 400 });
}

/** The wording of AWS's request framework for a value of the wrong type, such as `STRING_VALUE can not be converted to an Integer`. */
export function wrongScalar(found: unknown, expected: Expected): AwsError {
  if (Array.isArray(found)) return unexpectedList();
  if (typeof found === "object" && found !== null) return unexpectedMap();
  return serializationFailure(`${tokenOf(found)} can not be converted to ${article(expected)} ${expected}`);
}

export function wrongList(found: unknown): AwsError {
  return typeof found === "object" ? unexpectedMap() : serializationFailure("Expected list or null");
}

export function wrongMap(found: unknown): AwsError {
  return Array.isArray(found) ? unexpectedList() : serializationFailure("Expected map or null");
}

export function wrongStructure(found: unknown): AwsError {
  return Array.isArray(found) ? unexpectedList() : serializationFailure("Expected null");
}

export function tooDeep(): AwsError {
  return serializationFailure("Document is nested too deeply");
}

function unexpectedList(): AwsError {
  return serializationFailure("Start of list found where not expected");
}

function unexpectedMap(): AwsError {
  return serializationFailure("Start of structure or map found where not expected.");
}

/** The token's name in Jackson, the parser behind AWS's messages. */
function tokenOf(value: unknown): string {
  if (typeof value === "string") return "STRING_VALUE";
  if (typeof value === "boolean") return value ? "TRUE_VALUE" : "FALSE_VALUE";
  return "NUMBER_VALUE";
}

function article(word: string): string {
  return /^[AEIO]/.test(word) ? "an" : "a";
}
