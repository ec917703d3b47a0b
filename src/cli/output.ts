import type { Output } from "./command.ts";
import { clip, columnsOf, pad } from "./printable.ts";

/** Writes to the process's streams; colour only where `colour` says so. */
export function createOutput(colour: boolean): Output {
  const paint = (code: number) => (text: string) => (colour ? `\u001b[${code}m${text}\u001b[0m` : text);
  return {
    line: (text = "") => void process.stdout.write(`${text}\n`),
    error: (text) => void process.stderr.write(`${text}\n`),
    write: (text) => void process.stdout.write(text),
    bold: paint(1),
    dim: paint(2),
    red: paint(31),
    green: paint(32),
    get width() {
      return process.stdout.isTTY ? process.stdout.columns : undefined;
    },
  };
}

/** Between columns. */
const GAP = "  ";

/** Narrower than this no column is made for the sake of the others. */
const NARROWEST = 8;

/**
 * Columns padded to their widest cell.
 * @param width of the terminal, where there is one: the widest columns are clipped until all of them fit
 */
export function table(rows: readonly (readonly string[])[], width?: number): string[] {
  const widths: number[] = [];
  for (const row of rows)
    row.forEach((cell, column) => (widths[column] = Math.max(widths[column] ?? 0, columnsOf(cell))));
  if (width !== undefined) narrow(widths, width);
  return rows.map((row) =>
    row
      .map((cell, column) => pad(clip(cell, widths[column] ?? 0), widths[column] ?? 0))
      .join(GAP)
      .trimEnd(),
  );
}

function narrow(widths: number[], width: number): void {
  let over = widths.reduce((sum, each) => sum + each, GAP.length * (widths.length - 1)) - width;
  while (over > 0) {
    const widest = Math.max(...widths);
    const next = Math.max(NARROWEST, ...widths.filter((each) => each < widest));
    if (widest <= NARROWEST) return;
    const column = widths.indexOf(widest);
    const less = Math.min(over, Math.max(1, widest - next));
    widths[column] = widest - less;
    over -= less;
  }
}
