import { ComputedRow, type Row } from "./row.ts";
import type { Stage } from "./stage.ts";
import { toText } from "./values.ts";

/** Patterns of one query at most; messages of others are counted under the last. */
const MOST_PATTERNS = 10_000;
const MOST_SAMPLES = 10;

/** What differs from message to message of one kind: ids, times, addresses, numbers. */
const VARIABLE =
  /\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b|\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d+)?Z?|\b\d{1,3}(?:\.\d{1,3}){3}\b|\b0x[0-9a-f]+\b|\b[0-9a-f]{16,}\b|-?\b\d+(?:\.\d+)?\b/giu;

/** `pattern @message`: groups texts that differ in their variable parts alone. */
export class PatternStage implements Stage {
  readonly #field: string;
  readonly #next: Stage;
  readonly #patterns = new Map<string, { count: number; samples: string[] }>();
  #total = 0;

  constructor(field: string, next: Stage) {
    this.#field = field;
    this.#next = next;
  }

  push(row: Row): void {
    const text = toText(row.get(this.#field));
    if (text === undefined) return;
    this.#total++;
    const pattern = text.replaceAll(VARIABLE, "<*>");
    const known = this.#patterns.get(pattern);
    if (known !== undefined) {
      known.count++;
      if (known.samples.length < MOST_SAMPLES) known.samples.push(text);
    } else if (this.#patterns.size < MOST_PATTERNS)
      this.#patterns.set(pattern, { count: 1, samples: [text] });
  }

  finish(): void {
    const found = [...this.#patterns].sort(([, a], [, b]) => b.count - a.count);
    for (const [pattern, { count, samples }] of found) {
      const row = new ComputedRow();
      row.set("@pattern", pattern);
      row.set("@sampleCount", count);
      row.set("@ratio", count / this.#total);
      row.set("@logSamples", samples);
      row.set("@severityLabel", severityOf(pattern));
      this.#next.push(row);
    }
    this.#patterns.clear();
    this.#next.finish();
  }
}

function severityOf(pattern: string): string | undefined {
  return /\b(FATAL|ERROR|WARN|INFO|DEBUG|TRACE)\b/u.exec(pattern)?.[1];
}
