/** A cursor over a text in which blanks divide words. */
export class TextReader {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  /** How many characters were read. */
  get at(): number {
    return this.#at;
  }

  /** What is left, from the next word on. */
  get rest(): string {
    this.#blank();
    return this.#text.slice(this.#at);
  }

  get atEnd(): boolean {
    this.#blank();
    return this.#at >= this.#text.length;
  }

  /** What stands next, where it is as `pattern`, a sticky one, has it; `undefined` where it is not. */
  take(pattern: RegExp): string | undefined {
    this.#blank();
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text)?.[0];
    if (found !== undefined) this.#at += found.length;
    return found;
  }

  #blank(): void {
    while (/\s/.test(this.#text[this.#at] ?? "")) this.#at++;
  }
}
