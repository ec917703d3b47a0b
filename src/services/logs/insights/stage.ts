import type { Row } from "./row.ts";

/** One command at work: takes rows, passes rows on, and at the end what it held back. */
export interface Stage {
  push(row: Row): void;
  finish(): void;
}
