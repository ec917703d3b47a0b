import type { Value } from "./values.ts";

/** What commands work on: an event with what was found in it and computed from it, or a group of events. */
export interface Row {
  get(field: string): Value;
  set(field: string, value: Value): void;
  /** Fields that were set. */
  own(): Iterable<string>;
}

/** A row of values that were computed. */
export class ComputedRow implements Row {
  readonly #values = new Map<string, Value>();

  get(field: string): Value {
    return this.#values.get(field);
  }

  set(field: string, value: Value): void {
    this.#values.set(field, value);
  }

  own(): Iterable<string> {
    return this.#values.keys();
  }
}

/** An expression, ready to be asked of each row. */
export type Evaluate = (row: Row) => Value;
