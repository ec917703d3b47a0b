import { StringDecoder } from "node:string_decoder";

/** A line longer than this is cut, so that a function that never ends a line cannot fill the platform's memory. */
const MAX_LINE_CHARACTERS = 256 * 1024;

/** Turns what a function writes to a descriptor into lines: `onLine` gets each without its newline. */
export class LineSplitter {
  readonly #decoder = new StringDecoder("utf8");
  readonly #onLine: (line: string) => void;
  #rest = "";

  constructor(onLine: (line: string) => void) {
    this.#onLine = onLine;
  }

  push(chunk: Buffer): void {
    const text = this.#rest + this.#decoder.write(chunk);
    let at = 0;
    for (;;) {
      const end = text.indexOf("\n", at);
      if (end === -1) break;
      this.#emit(text.slice(at, end));
      at = end + 1;
    }
    this.#rest = text.slice(at);
    while (this.#rest.length > MAX_LINE_CHARACTERS) {
      this.#onLine(this.#rest.slice(0, MAX_LINE_CHARACTERS));
      this.#rest = this.#rest.slice(MAX_LINE_CHARACTERS);
    }
  }

  /** Gives out a last line that no newline ends. */
  flush(): void {
    const rest = this.#rest + this.#decoder.end();
    this.#rest = "";
    if (rest !== "") this.#emit(rest);
  }

  #emit(line: string): void {
    for (let at = 0; at === 0 || at < line.length; at += MAX_LINE_CHARACTERS)
      this.#onLine(line.slice(at, at + MAX_LINE_CHARACTERS));
  }
}
