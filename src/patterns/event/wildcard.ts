import { EventPatternError } from "./error.ts";

/**
 * Compiles `*` for any characters, `\*` and `\\` for themselves. Each literal is sought once, leftmost first, so that no
 * pattern makes a match take longer than pattern and value are long together, times the longest literal.
 * @throws EventPatternError for `**` and for any other backslash
 */
export function compileWildcard(pattern: string): (value: string) => boolean {
  const literals = splitAtStars(pattern);
  const [first = "", ...rest] = literals;
  const last = rest.pop();
  if (last === undefined) return (value) => value === first;
  return (value) => {
    const end = value.length - last.length;
    if (end < first.length || !value.startsWith(first) || !value.endsWith(last)) return false;
    let from = first.length;
    for (const literal of rest) {
      const found = value.indexOf(literal, from);
      if (found < 0) return false;
      from = found + literal.length;
    }
    return from <= end;
  };
}

function splitAtStars(pattern: string): readonly string[] {
  const literals = [""];
  for (let position = 0; position < pattern.length; position++) {
    const character = pattern.charAt(position);
    const next = pattern.charAt(position + 1);
    if (character === "*") {
      // AWS counts from the quote before the value.
      if (next === "*") throw new EventPatternError(`Consecutive wildcard characters at pos ${position + 1}`);
      literals.push("");
      continue;
    }
    if (character === "\\") {
      if (next !== "*" && next !== "\\")
        throw new EventPatternError(`Invalid escape character at pos ${position + 1}`);
      position++;
    }
    literals[literals.length - 1] += character === "\\" ? next : character;
  }
  return literals;
}
