export interface Position {
  /** From 1. */
  readonly Line: number;
  readonly Column: number;
}

export interface Span {
  readonly StartPosition: Position;
  readonly EndPosition: Position;
}

/** Where the statements of a policy's text stand, in their order. The text is known to be a policy. */
export function statementSpans(text: string): readonly Span[] {
  const at = statementValue(text);
  if (at === undefined) return [];
  const list = text[at] === "[";
  const spans: Span[] = [];
  let from = list ? at + 1 : at;
  for (;;) {
    const start = text.indexOf("{", from);
    if (start === -1) return spans;
    const end = endOfObject(text, start);
    spans.push({ StartPosition: positionOf(text, start), EndPosition: position(text, end) });
    if (!list || /^\s*\]/.test(text.slice(end))) return spans;
    from = end;
  }
}

/** Where the value of the outermost `Statement` begins. */
function statementValue(text: string): number | undefined {
  let depth = 0;
  for (let at = 0; at < text.length; at++) {
    const character = text[at];
    if (character === '"') {
      const end = endOfString(text, at);
      const colon = /^\s*:\s*/.exec(text.slice(end));
      if (depth === 1 && colon !== null && text.slice(at, end) === '"Statement"')
        return end + colon[0].length;
      at = end - 1;
    } else if (character === "{" || character === "[") depth++;
    else if (character === "}" || character === "]") depth--;
  }
  return undefined;
}

function endOfObject(text: string, start: number): number {
  let depth = 0;
  for (let at = start; at < text.length; at++) {
    const character = text[at];
    if (character === '"') at = endOfString(text, at) - 1;
    else if (character === "{") depth++;
    else if (character === "}" && --depth === 0) return at + 1;
  }
  return text.length;
}

function endOfString(text: string, start: number): number {
  let at = start + 1;
  while (at < text.length && text[at] !== '"') at += text[at] === "\\" ? 2 : 1;
  return at + 1;
}

/** Of the character before `at`, which is how the end of a statement is told; its start is one further. */
function position(text: string, at: number): Position {
  const before = text.slice(0, at);
  return { Line: before.split("\n").length, Column: at - (before.lastIndexOf("\n") + 1) };
}

function positionOf(text: string, at: number): Position {
  const { Line, Column } = position(text, at);
  return { Line, Column: Column + 1 };
}
