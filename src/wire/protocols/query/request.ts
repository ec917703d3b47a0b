import type { WireRequest } from "../protocol.ts";
import type { StructureShape } from "../../schema/model.ts";
import { malformedInput } from "./errors.ts";
import { readParameters } from "./parameters.ts";
import { readStructure } from "./read.ts";
import type { QueryDialect } from "./read.ts";

/**
 * Reads an operation's input from a query request: parameters in the body of a POST, in the query string of a GET, or
 * some in each.
 */
export function readRequest(
  dialect: QueryDialect,
  input: StructureShape,
  request: WireRequest,
): Record<string, unknown> {
  return readStructure(dialect, input, readParameters(bodyText(request), request.query));
}

function bodyText({ body }: WireRequest): string {
  if (!(body instanceof Uint8Array)) throw new TypeError("query requests have no streaming input");
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(body).trim();
  } catch {
    throw malformedInput("The request body is not UTF-8");
  }
}
