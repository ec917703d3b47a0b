import { AwsError } from "#core/errors";
import type { SimpleKind } from "../../schema/model.ts";

/**
 * The refusal of a request that cannot be read, by the front end that all query services share: code MalformedInput,
 * status 400. Its words are known from clients' bug reports:
 * - "Start of list found where not expected": a name goes on where a simple value belongs (SNS, SQS)
 * - "Top level element may not be treated as a list": an index without `member` (SNS, SES)
 * - "Unexpected complex element termination", "Unexpected list element termination": a value where a structure or a list
 *   belongs (CloudWatch)
 * - "boolean must follow xsd1.1 definition", "missing value for boolean type", "timestamp must follow ISO8601"
 */
export function malformedInput(message: string): AwsError {
  return new AwsError("MalformedInput", message, { status: 400 });
}

/** A simple value that cannot be read. Numbers are worded as the known message for booleans is. */
export function wrongValue(kind: SimpleKind, text: string): AwsError {
  if (text === "") return malformedInput(`missing value for ${kind} type`);
  if (kind === "timestamp") return malformedInput("timestamp must follow ISO8601");
  return malformedInput(`${kind} must follow xsd1.1 definition`);
}

/** EC2 names parameter and value: `Value (1) for parameter maxResults is invalid.` and what it expects. */
export function invalidParameterValue(name: string, kind: SimpleKind, text: string): AwsError {
  const shown = text.length > 100 ? `${text.slice(0, 100)}…` : text;
  const parameter = name.slice(0, 1).toLowerCase() + name.slice(1);
  return new AwsError(
    "InvalidParameterValue",
    `Value (${shown}) for parameter ${parameter} is invalid. Expecting a value of type ${kind}.`,
  );
}
