import { valueWithin, type Value } from "./values.ts";

/** What commands work on: an event with what was found in it and computed from it, or a group of events. */
export interface Row {
  get(field: string): Value;
  set(field: string, value: Value): void;
  /** Fields that were set. */
  own(): Iterable<string>;
}

/** A value that was set, or what lies within one: `document.Records.0.name` (user guide, "Structure types"). */
export function computedValue(values: ReadonlyMap<string, Value>, field: string): Value {
  const known = values.get(field);
  if (known !== undefined || values.has(field)) return known;
  for (let dot = field.lastIndexOf("."); dot > 0; dot = field.lastIndexOf(".", dot - 1)) {
    const whole = values.get(field.slice(0, dot));
    if (whole !== undefined) return valueWithin(whole, field.slice(dot + 1).split("."));
  }
  return undefined;
}

/** A row of values that were computed. */
export class ComputedRow implements Row {
  readonly #values = new Map<string, Value>();

  get(field: string): Value {
    return computedValue(this.#values, field);
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
