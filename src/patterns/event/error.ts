/** A pattern that AWS would refuse, in the words that AWS's services put behind "Reason:" or the attribute's name. */
export class EventPatternError extends Error {
  constructor(message: string) {
    super(message);
    this.name = "EventPatternError";
  }
}

/** Text that is not JSON. AWS's services word the place differently, so it is kept apart from the message. */
export class JsonSyntaxError extends Error {
  /** From 1, both. */
  readonly line: number;
  readonly column: number;

  constructor(message: string, text: string, offset: number) {
    super(message);
    this.name = "JsonSyntaxError";
    ({ line: this.line, column: this.column } = placeOf(text, offset));
  }
}

/** How much of the text a place repeats at most. */
const SNIPPET = 500;

/** A message with the place that AWS's JSON parser appends to it: `… at [Source: (String)"…"; line: 1, column: 8]`. */
export function patternError(message: string, text: string, offset: number): EventPatternError {
  const { line, column } = placeOf(text, offset);
  const more = text.length > SNIPPET ? `[truncated ${text.length - SNIPPET} chars]` : "";
  const source = `(String)"${text.slice(0, SNIPPET)}"${more}`;
  return new EventPatternError(`${message}\n at [Source: ${source}; line: ${line}, column: ${column}]`);
}

function placeOf(text: string, offset: number): { line: number; column: number } {
  const before = text.slice(0, offset).split("\n");
  return { line: before.length, column: (before.at(-1)?.length ?? 0) + 1 };
}
