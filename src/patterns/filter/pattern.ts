import { compileColumns } from "./columns.ts";
import { compileJson } from "./json.ts";
import type { LogFilter } from "./filter.ts";
import { compileTerms } from "./terms.ts";

export { FilterPatternError } from "./error.ts";

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
