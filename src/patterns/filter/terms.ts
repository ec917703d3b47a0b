import { FilterPatternError } from "./error.ts";
import type { LogFilter } from "./filter.ts";

/** A term with its sign: a quoted phrase with backslash escapes, or a bare word. */
const TERM = /([?-]?)(?:"((?:[^"\\]|\\.)*)"|([^\s"]+))(?=\s|$)\s*/suy;

/** What a bare term may hold; anything else must be quoted. */
const WORD = /^[\p{L}\p{N}_]+$/u;

/**
 * Terms, case-sensitive: all plain ones must occur and no `-` one; with `?` terms alone, any of them. As in AWS, `?`
 * terms beside others are ignored.
 */
export function compileTerms(text: string): LogFilter {
  const [required, optional, excluded]: string[][] = [[], [], []];
  TERM.lastIndex = 0;
  while (TERM.lastIndex < text.length) {
    const start = TERM.lastIndex;
    const match = TERM.exec(text);
    if (match === null)
      throw new FilterPatternError(`Invalid filter pattern: unbalanced quote in ${text.slice(start)}`);
    const [, sign, phrase, word] = match;
    if (word?.startsWith("%"))
      throw new FilterPatternError("Regular expressions in filter patterns are not supported");
    if (word !== undefined && !WORD.test(word))
      throw new FilterPatternError(`Invalid character(s) in term '${word}'`);
    const term = word ?? (phrase ?? "").replaceAll(/\\(.)/gsu, "$1");
    (sign === "?" ? optional : sign === "-" ? excluded : required)?.push(term);
  }
  const [all, any, none] = [required ?? [], optional ?? [], excluded ?? []];
  const anyCounts = any.length > 0 && all.length === 0 && none.length === 0;
  return (message) =>
    anyCounts
      ? any.some((term) => message.includes(term))
      : all.every((term) => message.includes(term)) && !none.some((term) => message.includes(term));
}
