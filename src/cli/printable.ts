/** Sequences that colour, move or retitle: a function's own colours among them, which would outlive its line. */
const SEQUENCES =
  // oxlint-disable-next-line no-control-regex
  /\u001b\][^\u0007\u001b]*(?:\u0007|\u001b\\)?|(?:\u001b\[|\u009b)[0-?]*[ -/]*[@-~]|\u001b[ -/]*[0-~]/g;

/** Whatever else a terminal or its reader may be misled by: all controls but the tab, and marks that turn the order of letters. */
const CONTROLS = /[^\P{Cc}\t]|[\u2028\u2029\u202a-\u202e\u2066-\u2069]/gu;

/** Text that somebody else wrote, as one line that moves no cursor. */
export function printable(text: string): string {
  return text.replaceAll(SEQUENCES, "").replaceAll(CONTROLS, " ");
}

/** The lines of a text that somebody else wrote; a line break at its end begins none. */
export function printableLines(text: string): string[] {
  return text
    .replace(/\r?\n$/, "")
    .split(/\r\n|\n|\r/)
    .map((line) => printable(line));
}

/** One line of JSON, in which nothing but letters reaches a terminal as it is. */
export function jsonLine(value: unknown): string {
  return JSON.stringify(value).replaceAll(
    /[\u007f-\u009f\u2028-\u202e\u2066-\u2069]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

const graphemes = new Intl.Segmenter("en");
const WIDE =
  /\p{Emoji_Presentation}|[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]|[\u{20000}-\u{3fffd}]/u;
const PLAIN = /^[ -~]*$/;

/** How many columns a printable text takes. */
export function columnsOf(text: string): number {
  if (PLAIN.test(text)) return text.length;
  let columns = 0;
  for (const { segment } of graphemes.segment(text)) columns += WIDE.test(segment) ? 2 : 1;
  return columns;
}

/** As much of a printable text as fits; an ellipsis tells that there is more. */
export function clip(text: string, columns: number): string {
  if (columnsOf(text) <= columns) return text;
  let [kept, used] = ["", 1];
  for (const { segment } of graphemes.segment(text)) {
    used += columnsOf(segment);
    if (used > columns) break;
    kept += segment;
  }
  return columns < 1 ? "" : `${kept}…`;
}

/** Filled up with blanks on the right. */
export function pad(text: string, columns: number): string {
  return text + " ".repeat(Math.max(0, columns - columnsOf(text)));
}
