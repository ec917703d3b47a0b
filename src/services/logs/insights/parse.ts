import type { Command, Expression, Named, ParseCommand, Query, SortKey } from "./ast.ts";
import { QueryError } from "./error.ts";
import { parseExpression } from "./parse-expression.ts";
import { TokenStream } from "./token-stream.ts";

/** "limit" of a query at most (CloudWatch Logs user guide, "limit"). */
export const MOST_RESULTS = 10_000;

type Reader = (tokens: TokenStream) => Command;

const COMMANDS: Readonly<Record<string, Reader>> = {
  fields: (tokens) => ({ kind: "fields", columns: readColumns(tokens) }),
  display: (tokens) => ({ kind: "display", columns: readColumns(tokens) }),
  filter: (tokens) => ({ kind: "filter", condition: parseExpression(tokens) }),
  // An index only makes AWS's search faster.
  filterindex: (tokens) => ({ kind: "filter", condition: parseExpression(tokens) }),
  stats: readStats,
  sort: readSort,
  order: readSort,
  limit: (tokens) => ({ kind: "limit", count: readCount(tokens, 1) }),
  head: (tokens) => ({ kind: "limit", count: readCount(tokens, 1) }),
  parse: readParse,
  dedup: (tokens) => ({ kind: "dedup", fields: readNames(tokens) }),
  pattern: (tokens) => ({ kind: "pattern", field: tokens.takeName("a field") }),
  unnest: readUnnest,
};

function readerOf(name: string): Reader | undefined {
  return Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
}

/** Reads a query: commands between `|`. @throws QueryError */
export function parseQuery(text: string): Query {
  const tokens = new TokenStream(text);
  const commands: Command[] = [];
  tokens.acceptSymbol("|");
  while (!tokens.ended) {
    const command = tokens.take();
    const read =
      command.kind === "name" && !command.quoted ? readerOf(command.text.toLowerCase()) : undefined;
    if (read === undefined) throw new QueryError(`unexpected symbol found ${command.text}`, command.at);
    commands.push(read(tokens));
    if (tokens.ended) break;
    tokens.expectSymbol("|");
    if (tokens.ended) tokens.take();
  }
  if (commands.length === 0) throw new QueryError("the query is empty", 0);
  if (commands.filter(({ kind }) => kind === "stats").length > 2)
    throw new QueryError("a query may have two stats commands at most", 0);
  return { commands };
}

function readColumns(tokens: TokenStream): readonly Named[] {
  const columns: Named[] = [];
  do columns.push(readNamed(tokens));
  while (tokens.acceptSymbol(","));
  return columns;
}

function readNamed(tokens: TokenStream): Named {
  const start = tokens.peek().at;
  const expression = parseExpression(tokens);
  const written = tokens.between(start);
  const name = tokens.acceptKeyword("as") ? tokens.takeName("an alias") : nameOf(expression, written);
  return { name, expression };
}

/** Without an alias, a column is named as it is written. */
function nameOf(expression: Expression, written: string): string {
  return expression.kind === "field" ? expression.name : written;
}

function readStats(tokens: TokenStream): Command {
  // Its own functions are of the rows that come.
  tokens.nameColumns([]);
  const aggregates = readColumns(tokens);
  const by = tokens.acceptKeyword("by") ? readColumns(tokens) : [];
  tokens.nameColumns([...aggregates, ...by].map(({ name }) => name));
  return { kind: "stats", aggregates, by };
}

function readSort(tokens: TokenStream): Command {
  tokens.acceptKeyword("by");
  const keys: SortKey[] = [];
  do {
    const expression = parseExpression(tokens);
    const descending = tokens.acceptKeyword("desc");
    if (!descending) tokens.acceptKeyword("asc");
    keys.push({ expression, descending });
  } while (tokens.acceptSymbol(","));
  return { kind: "sort", keys };
}

function readCount(tokens: TokenStream, least: number): number {
  const token = tokens.take();
  const count = Number(token.text);
  if (token.kind !== "number" || !Number.isInteger(count) || count < least || count > MOST_RESULTS)
    throw new QueryError(`a number from ${least} to ${MOST_RESULTS} expected, not ${token.text}`, token.at);
  return count;
}

function readNames(tokens: TokenStream): readonly string[] {
  const names: string[] = [];
  do names.push(tokens.takeName("a field"));
  while (tokens.acceptSymbol(","));
  return names;
}

function readParse(tokens: TokenStream): ParseCommand {
  const first = tokens.peek();
  const source: Expression =
    first.kind === "string" || first.kind === "regex"
      ? { kind: "field", name: "@message" }
      : parseExpression(tokens);
  const token = tokens.take();
  if (token.kind === "regex") {
    const names = tokens.acceptKeyword("as") ? readNames(tokens) : [];
    return {
      kind: "parse",
      source,
      pattern: { kind: "regex", source: token.text, flags: token.flags, at: token.at },
      names,
    };
  }
  if (token.kind !== "string") throw new QueryError(`a pattern expected, not ${token.text}`, token.at);
  tokens.expectKeyword("as");
  const names = readNames(tokens);
  const stars = token.text.split("*").length - 1;
  if (stars !== names.length)
    throw new QueryError(`the pattern has ${stars} wildcards, but there are ${names.length} names`, token.at);
  return { kind: "parse", source, pattern: { kind: "glob", text: token.text }, names };
}

function readUnnest(tokens: TokenStream): Command {
  const field = tokens.takeName("a field");
  tokens.expectKeyword("into");
  return { kind: "unnest", field, as: tokens.takeName("a name") };
}
