import { QueryError } from "./error.ts";

/**
 * A regular expression as queries write it. `(?i)` at its start ignores case, `(?<name>…)` names a group. It runs in a
 * thread that is ended where it takes too long: there are expressions that would take for ever.
 * @throws QueryError
 */
export function compileRegex(source: string, flags: string, at: number): RegExp {
  const [, inline = ""] = /^\(\?([a-z]+)\)/u.exec(source) ?? [];
  const body = inline === "" ? source : source.slice(inline.length + 3);
  const wanted = new Set(`${flags}${inline}`);
  const kept = [...wanted].filter((flag) => "ims".includes(flag));
  if (kept.length < wanted.size) throw new QueryError(`unknown flags of a regular expression`, at);
  try {
    return new RegExp(body, kept.join(""));
  } catch (error) {
    throw new QueryError((error as Error).message, at);
  }
}

export function escapeRegex(text: string): string {
  return text.replaceAll(/[\\^$.*+?()[\]{}|/]/gu, String.raw`\$&`);
}
