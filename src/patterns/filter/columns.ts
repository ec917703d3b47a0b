import { readComparison } from "./comparison.ts";
import { FilterPatternError } from "./error.ts";
import type { LogFilter } from "./filter.ts";
import { TokenReader, readCondition } from "./tokens.ts";

interface Column {
  readonly name: string;
  readonly test: (field: string) => boolean;
}

/** A pattern's columns, and which of them `...` stands before; undefined where it stands nowhere. */
interface Columns {
  readonly columns: readonly Column[];
  readonly gap: number | undefined;
}

/** A field of a space-delimited message: in square brackets, in double quotes, or up to the next white space. */
const FIELD = /\[([^\]]*)\]|"([^"]*)"|(\S+)/gu;

/**
 * `[ip, user, ..., status=4* || status=5*, bytes > 1000]`: a message matches when it has just these fields, `...` standing
 * for any number of them, and each condition holds. `[]` matches everything.
 */
export function compileColumns(text: string): LogFilter {
  const parsed = parseColumns(text);
  if (parsed.columns.length === 0 && parsed.gap === undefined) return () => true;
  return (message) => {
    const fields = fieldsOf(parsed, message);
    return fields !== undefined && parsed.columns.every(({ test }, index) => test(fields[index] ?? ""));
  };
}

/** Reads messages' fields by the names that the pattern gives them, `$name`; a message without them has none. */
export function columnsReader(text: string): (message: string) => ReadonlyMap<string, string> {
  const parsed = parseColumns(text);
  return (message) => {
    const fields = fieldsOf(parsed, message);
    if (fields === undefined) return new Map();
    return new Map(parsed.columns.map(({ name }, index) => [`$${name}`, fields[index] ?? ""]));
  };
}

function parseColumns(text: string): Columns {
  const reader = new TokenReader(text);
  reader.expect("[");
  const columns: (Column | "...")[] = [];
  if (!reader.accept("]")) {
    do columns.push(reader.accept("...") ? "..." : readColumn(reader));
    while (reader.accept(","));
    reader.expect("]");
  }
  reader.end();
  const gap = columns.indexOf("...");
  if (gap !== -1 && columns.lastIndexOf("...") !== gap)
    throw new FilterPatternError("Invalid filter pattern: '...' may stand once only");
  return { columns: columns.filter((column) => column !== "..."), gap: gap === -1 ? undefined : gap };
}

/** The field of each column; undefined where the message has not as many as the pattern wants. */
function fieldsOf({ columns, gap }: Columns, message: string): readonly string[] | undefined {
  const fields = Array.from(
    message.matchAll(FIELD),
    ([, bracketed, quoted, word]) => bracketed ?? quoted ?? word ?? "",
  );
  if (gap === undefined) return fields.length === columns.length ? fields : undefined;
  if (fields.length < columns.length) return undefined;
  return fields.toSpliced(gap, fields.length - columns.length);
}

/** A name, perhaps with conditions on it, which all repeat that name. */
function readColumn(reader: TokenReader): Column {
  const first = reader.peek();
  if (first?.kind !== "word" && !(first?.kind === "symbol" && first.text === "("))
    throw new FilterPatternError(`Invalid filter pattern: column name expected, not '${first?.text ?? ""}'`);
  let name: string | undefined;
  const test = readCondition<string>(reader, () => {
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
  return { name: name ?? "", test };
}
