import { JsonSyntaxError } from "./error.ts";

/**
 * A JSON value that knows where it stands. `at` is the offset behind its token, as AWS's parser (Jackson) reports it in
 * errors: behind the bracket of an object or array, behind the opening quote of a string, which it reads lazily, and
 * behind the last character of everything else.
 */
export type JsonNode =
  | {
      readonly kind: "object";
      readonly at: number;
      readonly end: number;
      readonly members: readonly JsonMember[];
    }
  | { readonly kind: "array"; readonly at: number; readonly end: number; readonly items: readonly JsonNode[] }
  | { readonly kind: "string"; readonly at: number; readonly end: number; readonly value: string }
  | { readonly kind: "number"; readonly at: number; readonly value: number; readonly text: string }
  | { readonly kind: "literal"; readonly at: number; readonly value: boolean | null };

export interface JsonMember {
  readonly name: string;
  readonly value: JsonNode;
}

/** Deeper than any pattern that AWS's limits allow; a bound for the stack. */
const MAX_DEPTH = 200;
const STRING = /"[^"\\]*(?:\\.[^"\\]*)*"/sy;
const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const WORD = /[\p{L}\p{N}_$]+/uy;
const EXPECTED = "(JSON String, Number, Array, Object or token 'null', 'true' or 'false')";

/** Reads JSON with the places of its tokens. @throws JsonSyntaxError in Jackson's words */
export function readJson(text: string): JsonNode {
  return new Reader(text).document();
}

class Reader {
  readonly #text: string;
  #offset = 0;

  constructor(text: string) {
    this.#text = text;
  }

  document(): JsonNode {
    if (this.#peek() === undefined) throw this.#error("No content to map due to end-of-input");
    const value = this.#value(0);
    const extra = this.#peek();
    if (extra !== undefined) throw this.#unexpected(extra, `expected a valid value ${EXPECTED}`);
    return value;
  }

  #value(depth: number): JsonNode {
    if (depth > MAX_DEPTH) throw this.#error(`Document nesting depth (${depth}) exceeds the maximum allowed`);
    const first = this.#peek();
    if (first === undefined) throw this.#error("Unexpected end-of-input within/between Object entries");
    if (first === "{") return this.#object(depth);
    if (first === "[") return this.#array(depth);
    if (first === '"') {
      const at = this.#offset + 1;
      const value = this.#string();
      return { kind: "string", at, end: this.#offset, value };
    }
    const number = this.#take(NUMBER);
    if (number !== undefined)
      return { kind: "number", at: this.#offset, value: Number(number), text: number };
    const word = this.#take(WORD);
    if (word === undefined) throw this.#unexpected(first, `expected a valid value ${EXPECTED}`);
    if (word === "true" || word === "false")
      return { kind: "literal", at: this.#offset, value: word === "true" };
    if (word === "null") return { kind: "literal", at: this.#offset, value: null };
    throw this.#error(`Unrecognized token '${word}': was expecting ${EXPECTED}`);
  }

  #object(depth: number): JsonNode {
    const at = ++this.#offset;
    const members: JsonMember[] = [];
    while (!this.#accept("}")) {
      if (members.length > 0) this.#require(",", "was expecting comma to separate Object entries");
      const quote = this.#peek();
      if (quote !== '"') throw this.#unexpected(quote, "was expecting double-quote to start field name");
      const name = this.#string();
      this.#require(":", "was expecting a colon to separate field name and value");
      members.push({ name, value: this.#value(depth + 1) });
    }
    return { kind: "object", at, end: this.#offset, members };
  }

  #array(depth: number): JsonNode {
    const at = ++this.#offset;
    const items: JsonNode[] = [];
    while (!this.#accept("]")) {
      if (items.length > 0) this.#require(",", "was expecting comma to separate Array entries");
      items.push(this.#value(depth + 1));
    }
    return { kind: "array", at, end: this.#offset, items };
  }

  #string(): string {
    const quoted = this.#take(STRING);
    if (quoted === undefined)
      throw this.#error("Unexpected end-of-input: was expecting closing quote for a string value");
    try {
      return JSON.parse(quoted) as string;
    } catch {
      throw this.#error("Illegal unquoted character or unrecognized character escape in a string value");
    }
  }

  /** The next character that is not white space. */
  #peek(): string | undefined {
    while (this.#offset < this.#text.length && " \t\r\n".includes(this.#text.charAt(this.#offset)))
      this.#offset++;
    return this.#text[this.#offset];
  }

  #accept(character: string): boolean {
    if (this.#peek() !== character) return false;
    this.#offset++;
    return true;
  }

  #require(character: string, otherwise: string): void {
    if (!this.#accept(character)) throw this.#unexpected(this.#peek(), otherwise);
  }

  #take(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#offset;
    const found = pattern.exec(this.#text)?.[0];
    this.#offset += found?.length ?? 0;
    return found;
  }

  #unexpected(character: string | undefined, expected: string): JsonSyntaxError {
    if (character === undefined) return this.#error("Unexpected end-of-input");
    return this.#error(
      `Unexpected character ('${character}' (code ${character.charCodeAt(0)})): ${expected}`,
    );
  }

  #error(message: string): JsonSyntaxError {
    return new JsonSyntaxError(message, this.#text, this.#offset);
  }
}
