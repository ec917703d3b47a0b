import type { Output } from "../../command.ts";
import { duration } from "../../duration.ts";
import { clip, pad, printable } from "../../printable.ts";
import type { Span } from "./spans.ts";

/** Of an output that is no terminal. */
const WIDTH = 100;

/** Spans beyond these are counted, not drawn. */
const MOST_SPANS = 200;

/** Spans that lie deeper are indented no further. */
const DEEPEST = 12;

interface Row {
  readonly span: Span;
  readonly depth: number;
}

/** Spans as lines: what it was, a bar of when, how long it took, and what went wrong. */
export function waterfall(spans: readonly Span[], out: Pick<Output, "red" | "dim" | "width">): string[] {
  const rows = rowsOf(spans);
  const drawn = rows.slice(0, MOST_SPANS);
  const width = Math.max(40, out.width ?? WIDTH);
  const labels = drawn.map(({ span, depth }) => `${"  ".repeat(Math.min(depth, DEEPEST))}${labelOf(span)}`);
  const label = Math.min(Math.max(...labels.map((each) => each.length)), Math.floor(width * 0.4));
  const times = drawn.map(({ span }) => timeOf(span));
  const time = Math.max(...times.map((each) => each.length));
  const notes = drawn.map(({ span }) => noteOf(span));
  const note = Math.max(...notes.map((each) => each.length));
  const bars = Math.max(8, Math.min(40, width - label - time - Math.min(note, Math.floor(width * 0.4)) - 6));
  const scale = scaleOf(rows);
  const lines = drawn.map(({ span }, at) => {
    const bar = pad(barOf(span, scale, bars), bars);
    const text = `${pad(clip(labels[at] ?? "", label), label)}  ${bar}  ${(times[at] ?? "").padStart(time)}`;
    const rest = clip(notes[at] ?? "", Math.max(0, width - label - bars - time - 6));
    const line = rest === "" ? text : `${text}  ${rest}`;
    return span.fault || span.error || span.throttle ? out.red(line) : line;
  });
  if (rows.length > drawn.length) lines.push(out.dim(`… and ${rows.length - drawn.length} more`));
  return lines;
}

/** All spans, each before its children. */
export function rowsOf(spans: readonly Span[]): Row[] {
  const rows: Row[] = [];
  const waiting = spans.toReversed().map((span): Row => ({ span, depth: 0 }));
  for (let row = waiting.pop(); row !== undefined; row = waiting.pop()) {
    rows.push(row);
    const { span, depth } = row;
    for (const child of span.children.toReversed()) waiting.push({ span: child, depth: depth + 1 });
  }
  return rows;
}

function labelOf({ name, kind, operation }: Span): string {
  return [name, operation, kind]
    .filter((part) => part !== undefined && part !== "")
    .map((part) => printable(part ?? ""))
    .join(" ");
}

function timeOf({ start, end }: Span): string {
  return end === undefined ? "in progress" : duration(Math.max(0, end - start));
}

/** What went wrong, in X-Ray's words. */
function noteOf({ fault, error, throttle, status, exceptions }: Span): string {
  const [exception] = exceptions;
  const words = [
    throttle ? "throttle" : error ? "error" : fault ? "fault" : "",
    status !== undefined && status >= 400 ? String(status) : "",
    exception === undefined ? "" : [exception.type, exception.message].filter(Boolean).join(": "),
  ];
  return words
    .filter((word) => word !== "")
    .map((word) => printable(word))
    .join(" ");
}

interface Scale {
  readonly start: number;
  readonly end: number;
}

function scaleOf(rows: readonly Row[]): Scale {
  let [start, end] = [Infinity, -Infinity];
  for (const { span } of rows) {
    start = Math.min(start, span.start);
    end = Math.max(end, span.end ?? span.start);
  }
  return { start, end };
}

const EDGE = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];

/** From where it began, as long as it took, to an eighth of a column; whatever is in progress goes on to the end. */
function barOf(span: Span, { start, end }: Scale, columns: number): string {
  const perMs = end > start ? columns / (end - start) : 0;
  const from = Math.min(columns - 1, Math.floor((span.start - start) * perMs));
  const to = span.end === undefined ? columns : (span.end - start) * perMs;
  const eighths = Math.max(1, Math.min(8 * (columns - from), Math.round((to - from) * 8)));
  const bar = "█".repeat(Math.floor(eighths / 8)) + (EDGE[eighths % 8] ?? "");
  return `${" ".repeat(from)}${span.end === undefined ? bar.replace(/.$/, "…") : bar}`;
}
