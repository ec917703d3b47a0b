import { readComparison } from "./comparison.ts";
import { FilterPatternError } from "./error.ts";
import type { LogFilter } from "./filter.ts";
import { TokenReader, readCondition } from "./tokens.ts";

type Column = (field: string) => boolean;

/** A field of a space-delimited message: in square brackets, in double quotes, or up to the next white space. */
const FIELD = /\[([^\]]*)\]|"([^"]*)"|(\S+)/gu;

/**
 * `[ip, user, ..., status=4* || status=5*, bytes > 1000]`: a message matches when it has just these fields, `...` standing
 * for any number of them, and each condition holds. `[]` matches everything.
 */
export function compileColumns(text: string): LogFilter {
  const reader = new TokenReader(text);
  reader.expect("[");
  const columns: (Column | "...")[] = [];
  if (!reader.accept("]")) {
    do columns.push(reader.accept("...") ? "..." : readColumn(reader));
    while (reader.accept(","));
    reader.expect("]");
  }
  reader.end();
  if (columns.length === 0) return () => true;
  const gap = columns.indexOf("...");
  if (gap !== -1 && columns.lastIndexOf("...") !== gap)
    throw new FilterPatternError("Invalid filter pattern: '...' may stand once only");
  const tests = columns.filter((column) => column !== "...");
  return (message) => {
    const fields = Array.from(
      message.matchAll(FIELD),
      ([, bracketed, quoted, word]) => bracketed ?? quoted ?? word ?? "",
    );
    if (gap === -1 ? fields.length !== tests.length : fields.length < tests.length) return false;
    const skipped = fields.length - tests.length;
    return tests.every((test, index) =>
      test(fields[gap !== -1 && index >= gap ? index + skipped : index] ?? ""),
    );
  };
}

/** A name, perhaps with conditions on it, which all repeat that name. */
function readColumn(reader: TokenReader): Column {
  const first = reader.peek();
  if (first?.kind !== "word" && !(first?.kind === "symbol" && first.text === "("))
    throw new FilterPatternError(`Invalid filter pattern: column name expected, not '${first?.text ?? ""}'`);
  let name: string | undefined;
  return readCondition<string>(reader, () => {
    const token = reader.take();
    if (token.kind !== "word")
      throw new FilterPatternError(`Invalid filter pattern: column name expected, not '${token.text}'`);
    name ??= token.text;
    if (token.text !== name)
      throw new FilterPatternError(`Invalid filter pattern: '${token.text}' in a condition on '${name}'`);
    const next = reader.peek();
    const bare = next?.kind === "symbol" && [",", "]", ")", "&&", "||"].includes(next.text);
    return bare ? () => true : readComparison(reader);
  });
}
