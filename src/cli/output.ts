import type { Output } from "./command.ts";

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
  };
}

/** Columns padded to their widest cell. */
export function table(rows: readonly (readonly string[])[]): string[] {
  const widths: number[] = [];
  for (const row of rows)
    row.forEach((cell, column) => (widths[column] = Math.max(widths[column] ?? 0, cell.length)));
  return rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join("  ")
      .trimEnd(),
  );
}
