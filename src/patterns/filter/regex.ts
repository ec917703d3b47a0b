import { FilterPatternError } from "./error.ts";

/** What a character must be. */
type CharacterTest = (code: number) => boolean;

/** A machine's states: each waits for a character, stands at an edge of the text, or goes on to others at once. */
type State =
  | { readonly kind: "character"; readonly test: CharacterTest; next: number }
  | { readonly kind: "edge"; readonly at: "start" | "end"; next: number }
  | { readonly kind: "fork"; next: number; other: number }
  | { readonly kind: "match" };

/** States of one expression at most: repetitions such as `{1000}` multiply them. */
const MOST_STATES = 2000;
const MOST_NESTED = 50;

/** What an expression may hold besides letters and digits ("Using regular expressions to filter log events"). */
const LITERALS = new Set(":_#=@/;,-~\"'<>&!%` ");

/**
 * Compiles the regular expressions of filter patterns, `%…%`: `^ $ . ? * + | ( ) [ ] { }`, `\d \s \w \xhh` and their
 * capitals. A machine that is in all its states at once reads each character of a text once: no expression takes more
 * than linear time, whoever wrote it.
 * @throws FilterPatternError
 */
export function compileRegex(source: string): (text: string) => boolean {
  return machineOf(new RegexParser(source).parse());
}

type Node =
  | { readonly kind: "character"; readonly test: CharacterTest }
  | { readonly kind: "edge"; readonly at: "start" | "end" }
  | { readonly kind: "sequence"; readonly parts: readonly Node[] }
  | { readonly kind: "choice"; readonly options: readonly Node[] }
  | { readonly kind: "repeat"; readonly inner: Node; readonly least: number; readonly most: number };

class RegexParser {
  readonly #source: string;
  #at = 0;
  #depth = 0;

  constructor(source: string) {
    this.#source = source;
  }

  parse(): Node {
    const node = this.#choice();
    if (this.#at < this.#source.length) this.#fail();
    return node;
  }

  #choice(): Node {
    if (++this.#depth > MOST_NESTED) this.#fail();
    const options = [this.#sequence()];
    while (this.#accept("|")) options.push(this.#sequence());
    this.#depth--;
    return options.length === 1 && options[0] !== undefined ? options[0] : { kind: "choice", options };
  }

  #sequence(): Node {
    const parts: Node[] = [];
    while (this.#at < this.#source.length && this.#peek() !== "|" && this.#peek() !== ")")
      parts.push(this.#repeated(this.#part()));
    return { kind: "sequence", parts };
  }

  #part(): Node {
    const character = this.#take();
    switch (character) {
      case "(": {
        const inner = this.#choice();
        if (!this.#accept(")")) this.#fail();
        return inner;
      }
      case "[":
        return { kind: "character", test: this.#characterClass() };
      case ".":
        return { kind: "character", test: () => true };
      case "^":
        return { kind: "edge", at: "start" };
      case "$":
        return { kind: "edge", at: "end" };
      case "\\":
        return { kind: "character", test: this.#escape() };
      default: {
        if (!/^[\p{L}\p{N}]$/u.test(character) && !LITERALS.has(character)) this.#fail();
        const code = character.codePointAt(0);
        return { kind: "character", test: (other) => other === code };
      }
    }
  }

  #repeated(inner: Node): Node {
    if (this.#accept("*")) return { kind: "repeat", inner, least: 0, most: Infinity };
    if (this.#accept("+")) return { kind: "repeat", inner, least: 1, most: Infinity };
    if (this.#accept("?")) return { kind: "repeat", inner, least: 0, most: 1 };
    if (!this.#accept("{")) return inner;
    const [whole, low = "", comma, high = ""] =
      /^(\d{1,4})(,)?(\d{1,4})?\}/u.exec(this.#source.slice(this.#at)) ?? [];
    if (whole === undefined) return this.#fail();
    this.#at += whole.length;
    const least = Number(low);
    const most = comma === undefined ? least : high === "" ? Infinity : Number(high);
    if (most < least) this.#fail();
    return { kind: "repeat", inner, least, most };
  }

  #characterClass(): CharacterTest {
    const negated = this.#accept("^");
    const tests: CharacterTest[] = [];
    while (!this.#accept("]")) {
      const first = this.#take();
      if (first === "\\") {
        tests.push(this.#escape());
        continue;
      }
      const low = first.codePointAt(0) ?? 0;
      let high = low;
      if (this.#peek() === "-" && this.#source[this.#at + 1] !== "]") {
        this.#at++;
        high = this.#take().codePointAt(0) ?? 0;
        if (high < low) this.#fail();
      }
      tests.push((code) => code >= low && code <= high);
    }
    return (code) => tests.some((test) => test(code)) !== negated;
  }

  #escape(): CharacterTest {
    const character = this.#take();
    const known = ESCAPES[character.toLowerCase()];
    if (known !== undefined) return character === character.toLowerCase() ? known : (code) => !known(code);
    if (character === "x") {
      const digits = /^[0-9a-f]{2}/iu.exec(this.#source.slice(this.#at))?.[0];
      if (digits === undefined) return this.#fail();
      this.#at += 2;
      return (code) => code === Number.parseInt(digits, 16);
    }
    if (/^[\p{L}\p{N}]$/u.test(character)) this.#fail();
    const code = character.codePointAt(0);
    return (other) => other === code;
  }

  #peek(): string | undefined {
    return this.#source[this.#at];
  }

  #accept(character: string): boolean {
    if (this.#peek() !== character) return false;
    this.#at++;
    return true;
  }

  #take(): string {
    const code = this.#source.codePointAt(this.#at);
    if (code === undefined) return this.#fail();
    const character = String.fromCodePoint(code);
    this.#at += character.length;
    return character;
  }

  #fail(): never {
    throw new FilterPatternError(`Invalid regular expression in the filter pattern: ${this.#source}`);
  }
}

const ESCAPES: Readonly<Record<string, CharacterTest>> = {
  d: (code) => code >= 48 && code <= 57,
  w: (code) =>
    (code >= 48 && code <= 57) || (code >= 65 && code <= 90) || code === 95 || (code >= 97 && code <= 122),
  s: (code) => code === 32 || (code >= 9 && code <= 13),
};

function machineOf(node: Node): (text: string) => boolean {
  const states: State[] = [{ kind: "match" }];
  const add = (state: State): number => {
    if (states.length >= MOST_STATES)
      throw new FilterPatternError("The regular expression in the filter pattern is too large");
    return states.push(state) - 1;
  };
  /** Adds the states of a node that goes on to `next`. @returns the first of them */
  const build = (inner: Node, next: number): number => {
    switch (inner.kind) {
      case "character":
        return add({ kind: "character", test: inner.test, next });
      case "edge":
        return add({ kind: "edge", at: inner.at, next });
      case "sequence":
        return inner.parts.reduceRight((after, part) => build(part, after), next);
      case "choice":
        return inner.options
          .map((option) => build(option, next))
          .reduce((first, other) => add({ kind: "fork", next: first, other }));
      default:
        return repeat(inner, next);
    }
  };
  const repeat = ({ inner, least, most }: Extract<Node, { kind: "repeat" }>, next: number): number => {
    let after = next;
    if (most === Infinity) {
      const loop: State = { kind: "fork", next: 0, other: next };
      after = add(loop);
      loop.next = build(inner, after);
    } else
      for (let count = least; count < most; count++)
        after = add({ kind: "fork", next: build(inner, after), other: next });
    for (let count = 0; count < least; count++) after = build(inner, after);
    return after;
  };
  const start = build(node, 0);
  return (text) => matches(states, start, text);
}

/** Whether the machine finds a match anywhere: it starts anew at every character. */
function matches(states: readonly State[], start: number, text: string): boolean {
  let current: number[] = [];
  let marks = new Uint8Array(states.length);
  for (let at = 0; ;) {
    const ended = at >= text.length;
    if (enter(states, start, current, marks, at === 0, ended)) return true;
    if (ended) return false;
    const code = text.codePointAt(at) ?? 0;
    at += code > 0xffff ? 2 : 1;
    const next: number[] = [];
    const marked = new Uint8Array(states.length);
    for (const index of current) {
      const state = states[index];
      if (state?.kind !== "character" || !state.test(code)) continue;
      if (enter(states, state.next, next, marked, false, at >= text.length)) return true;
    }
    [current, marks] = [next, marked];
  }
}

/** Enters a state and all those that it goes on to at once. @returns whether one of them is a match */
function enter(
  states: readonly State[],
  first: number,
  into: number[],
  marks: Uint8Array,
  atStart: boolean,
  atEnd: boolean,
): boolean {
  const waiting = [first];
  for (let index = waiting.pop(); index !== undefined; index = waiting.pop()) {
    if (marks[index] === 1) continue;
    marks[index] = 1;
    const state = states[index];
    if (state === undefined) continue;
    if (state.kind === "match") return true;
    if (state.kind === "character") into.push(index);
    else if (state.kind === "fork") waiting.push(state.next, state.other);
    else if (state.at === "start" ? atStart : atEnd) waiting.push(state.next);
  }
  return false;
}
