import type { Position, Span } from "@aws-sdk/client-accessanalyzer";

/** Offsets of a text as lines and columns. */
export class Positions {
  /** Where each line begins. */
  readonly #lines: readonly number[];

  constructor(text: string) {
    const lines = [0];
    for (let at = text.indexOf("\n"); at !== -1; at = text.indexOf("\n", at + 1)) lines.push(at + 1);
    this.#lines = lines;
  }

  /** Lines from 1, columns and offsets from 0, as AWS counts them ("Position", Access Analyzer API reference). */
  at(offset: number): Position {
    let [low, high] = [0, this.#lines.length - 1];
    while (low < high) {
      const middle = Math.ceil((low + high) / 2);
      if ((this.#lines[middle] ?? 0) <= offset) low = middle;
      else high = middle - 1;
    }
    return { line: low + 1, column: offset - (this.#lines[low] ?? 0), offset };
  }

  span({ start, end }: { readonly start: number; readonly end: number }): Span {
    return { start: this.at(start), end: this.at(end) };
  }
}
