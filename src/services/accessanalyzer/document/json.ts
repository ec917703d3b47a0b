/** A value of a JSON text, with where it stands: `start` and `end` are offsets in UTF-16 units, `end` after its last. */
export type JsonNode = JsonObject | JsonArray | JsonString | JsonNumber | JsonLiteral;

interface Extent {
  readonly start: number;
  readonly end: number;
}

export interface JsonObject extends Extent {
  readonly kind: "object";
  /** As they stand, those of one name all. */
  readonly members: readonly { readonly key: JsonString; readonly value: JsonNode }[];
}

export interface JsonArray extends Extent {
  readonly kind: "array";
  readonly elements: readonly JsonNode[];
}

export interface JsonString extends Extent {
  readonly kind: "string";
  readonly value: string;
}

export interface JsonNumber extends Extent {
  readonly kind: "number";
  readonly value: number;
}

export interface JsonLiteral extends Extent {
  readonly kind: "boolean" | "null";
  readonly value: boolean | null;
}

/** A text that is no JSON, from `offset` on. */
export class JsonProblem extends Error {
  readonly offset: number;
  constructor(offset: number) {
    super(`no JSON at ${offset}`);
    this.name = "JsonProblem";
    this.offset = offset;
  }
}

/** Far deeper than any policy. */
const MAX_DEPTH = 64;

const SPACE = /[ \t\n\r]*/y;
/** What begins and ends as a string does; JSON.parse knows the rest. */
const STRING = /"(?:[^"\\]|\\[^])*"/y;
const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const LITERAL = /true|false|null/y;

/** Reads a JSON text and remembers where each value stands. @throws JsonProblem */
export function parseJson(text: string): JsonNode {
  return new Reader(text).read();
}

class Reader {
  readonly #text: string;
  #at = 0;
  #depth = 0;

  constructor(text: string) {
    this.#text = text;
  }

  read(): JsonNode {
    this.#space();
    const node = this.#value();
    this.#space();
    if (this.#at < this.#text.length) throw new JsonProblem(this.#at);
    return node;
  }

  #value(): JsonNode {
    const start = this.#at;
    const first = this.#text[start];
    if (first === "{") return this.#nested(() => this.#object(start));
    if (first === "[") return this.#nested(() => this.#array(start));
    if (first === '"') return this.#string();
    const literal = this.#take(LITERAL);
    if (literal !== undefined) {
      const value = literal === "null" ? null : literal === "true";
      return { kind: value === null ? "null" : "boolean", value, start, end: this.#at };
    }
    const number = this.#take(NUMBER);
    if (number === undefined) throw new JsonProblem(start);
    return { kind: "number", value: Number(number), start, end: this.#at };
  }

  #nested<T>(read: () => T): T {
    if (++this.#depth > MAX_DEPTH) throw new JsonProblem(this.#at);
    const node = read();
    this.#depth--;
    return node;
  }

  #object(start: number): JsonObject {
    const members: { key: JsonString; value: JsonNode }[] = [];
    this.#list("}", () => {
      const key = this.#string();
      this.#space();
      this.#expect(":");
      this.#space();
      members.push({ key, value: this.#value() });
    });
    return { kind: "object", members, start, end: this.#at };
  }

  #array(start: number): JsonArray {
    const elements: JsonNode[] = [];
    this.#list("]", () => elements.push(this.#value()));
    return { kind: "array", elements, start, end: this.#at };
  }

  /** What stands between brackets, the opening one next. */
  #list(closing: string, item: () => void): void {
    this.#at++;
    this.#space();
    if (this.#text[this.#at] !== closing)
      for (;;) {
        item();
        this.#space();
        if (this.#text[this.#at] !== ",") break;
        this.#at++;
        this.#space();
      }
    this.#expect(closing);
  }

  #string(): JsonString {
    const start = this.#at;
    const source = this.#take(STRING);
    if (source === undefined) throw new JsonProblem(start);
    try {
      return { kind: "string", value: JSON.parse(source) as string, start, end: this.#at };
    } catch {
      // A wrong escape, or a control character.
      throw new JsonProblem(start);
    }
  }

  #expect(character: string): void {
    if (this.#text[this.#at] !== character) throw new JsonProblem(this.#at);
    this.#at++;
  }

  #space(): void {
    this.#take(SPACE);
  }

  #take(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text)?.[0];
    if (found !== undefined) this.#at += found.length;
    return found;
  }
}
