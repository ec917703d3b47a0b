import { QueryError } from "./error.ts";
import { tokenise, type Token } from "./tokens.ts";

/** A query's tokens, read one after the other. Keywords may be written in either case. */
export class TokenStream {
  readonly #query: string;
  readonly #tokens: readonly Token[];
  #next = 0;
  /** The columns that a stats command before has made, by how they are written. */
  #columns: ReadonlyMap<string, string> = new Map();

  constructor(query: string) {
    this.#query = query;
    this.#tokens = tokenise(query);
  }

  get ended(): boolean {
    return this.peek().kind === "end";
  }

  peek(ahead = 0): Token {
    const token = this.#tokens[this.#next + ahead] ?? this.#tokens.at(-1);
    if (token === undefined) throw new Error("a token stream always ends with a token");
    return token;
  }

  take(): Token {
    const token = this.peek();
    if (token.kind === "end") throw new QueryError("unexpected end of the query", token.at);
    this.#next++;
    return token;
  }

  /** What is written from `start` up to the token that comes next, without white space round it. */
  between(start: number): string {
    return this.#query.slice(start, this.peek().at).trim();
  }

  /** Has what is written like one of these columns mean the column from here on: `stats count(*) by k | sort count(*)`. */
  nameColumns(names: readonly string[]): void {
    this.#columns = new Map(names.map((name) => [compact(name), name]));
  }

  /** The column that is written from `start` up to the token that comes next. */
  columnFrom(start: number): string | undefined {
    return this.#columns.size === 0 ? undefined : this.#columns.get(compact(this.between(start)));
  }

  isSymbol(text: string): boolean {
    const token = this.peek();
    return token.kind === "symbol" && token.text === text;
  }

  isKeyword(text: string, ahead = 0): boolean {
    const token = this.peek(ahead);
    return token.kind === "name" && !token.quoted && token.text.toLowerCase() === text;
  }

  acceptSymbol(text: string): boolean {
    const found = this.isSymbol(text);
    if (found) this.#next++;
    return found;
  }

  acceptKeyword(text: string): boolean {
    const found = this.isKeyword(text);
    if (found) this.#next++;
    return found;
  }

  expectSymbol(text: string): void {
    if (!this.acceptSymbol(text)) this.#expected(text);
  }

  expectKeyword(text: string): void {
    if (!this.acceptKeyword(text)) this.#expected(text);
  }

  takeName(what: string): string {
    if (this.peek().kind !== "name") this.#expected(what);
    return this.take().text;
  }

  #expected(what: string): never {
    const token = this.peek();
    throw new QueryError(`${what} expected, not ${token.text || "the end"}`, token.at);
  }
}

function compact(written: string): string {
  return written.replaceAll(/\s+/gu, "");
}
