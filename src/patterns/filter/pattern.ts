import { FilterPatternError } from "./error.ts";
import { columnsReader, compileColumns } from "./columns.ts";
import { compileJson, compileSelector, jsonReader, parseDocument } from "./json.ts";
import type { LogFilter } from "./filter.ts";
import { compileTerms } from "./terms.ts";

export { FilterPatternError };

export type { LogFilter } from "./filter.ts";

/**
 * Compiles a pattern of the language of metric filters, subscription filters and FilterLogEvents ("Filter pattern
 * syntax", CloudWatch Logs user guide): terms, `{ $.json = "selectors" }`, or `[space, delimited=columns]`. The empty
 * pattern matches everything.
 * @throws FilterPatternError
 */
export function compileFilterPattern(pattern: string): LogFilter {
  const text = pattern.trim();
  if (text === "") return () => true;
  if (text.startsWith("{")) return compileJson(text);
  if (text.startsWith("[")) return compileColumns(text);
  return compileTerms(text);
}

/** Reads what a message holds under the names of a pattern: `$.level` of a JSON pattern, `$status` of one with columns. */
export type FieldReader = (message: string) => ReadonlyMap<string, string>;

/** @throws FilterPatternError */
export function compileFields(pattern: string): FieldReader {
  const text = pattern.trim();
  if (text.startsWith("{")) return jsonReader(text);
  if (text.startsWith("[")) return columnsReader(text);
  const none = new Map<string, string>();
  return () => none;
}

/**
 * Reads one value of messages that match a pattern, as metric filters publish it: a member of JSON, which need not stand
 * in the pattern, or a column. Undefined where there is none.
 * @throws FilterPatternError where the pattern cannot have such a value
 */
export function compileField(pattern: string, selector: string): (message: string) => string | undefined {
  const text = pattern.trim();
  if (text.startsWith("[")) {
    const read = columnsReader(text);
    return (message) => read(message).get(selector);
  }
  if (!text.startsWith("{"))
    throw new FilterPatternError(`Invalid metric value '${selector}' for the filter pattern`);
  const read = compileSelector(selector);
  return (message) => {
    const document = parseDocument(message);
    return document === undefined ? undefined : read(document);
  };
}
