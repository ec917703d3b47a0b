import { FilterPatternError } from "./error.ts";
import type { LogFilter } from "./filter.ts";
import { compileRegex } from "./regex.ts";

/** A term with its sign: a quoted phrase with backslash escapes, a regular expression between percent signs, or a bare word. */
const TERM = /([?-]?)(?:"((?:[^"\\]|\\.)*)"|%([^%]*)%|([^\s"]+))(?=\s|$)\s*/suy;

/** What a bare term may hold; anything else must be quoted. */
const WORD = /^[\p{L}\p{N}_]+$/u;

/**
 * Terms, case-sensitive: all plain ones must occur and no `-` one; with `?` terms alone, any of them. As in AWS, `?`
 * terms beside others are ignored.
 */
export function compileTerms(text: string): LogFilter {
  const [required, optional, excluded]: LogFilter[][] = [[], [], []];
  TERM.lastIndex = 0;
  while (TERM.lastIndex < text.length) {
    const start = TERM.lastIndex;
    const match = TERM.exec(text);
    if (match === null)
      throw new FilterPatternError(`Invalid filter pattern: unbalanced quote in ${text.slice(start)}`);
    const [, sign, phrase, regex, word] = match;
    if (word !== undefined && !WORD.test(word))
      throw new FilterPatternError(`Invalid character(s) in term '${word}'`);
    const term = regex === undefined ? contains(word ?? unescape(phrase ?? "")) : compileRegex(regex);
    (sign === "?" ? optional : sign === "-" ? excluded : required)?.push(term);
  }
  const [all, any, none] = [required ?? [], optional ?? [], excluded ?? []];
  const anyCounts = any.length > 0 && all.length === 0 && none.length === 0;
  return (message) =>
    anyCounts
      ? any.some((term) => term(message))
      : all.every((term) => term(message)) && !none.some((term) => term(message));
}

function contains(term: string): LogFilter {
  return (message) => message.includes(term);
}

function unescape(phrase: string): string {
  return phrase.replaceAll(/\\(.)/gsu, "$1");
}
