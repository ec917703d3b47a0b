/** A value of an event that a pattern can be compared with. */
export type Scalar = string | number | boolean | null;

export type ValueTest = (value: Scalar) => boolean;

/** What the values at one path are compared with: one test has to hold for one value. */
export interface Leaf {
  readonly path: readonly string[];
  readonly tests: readonly ValueTest[];
  /** Whether the pattern also matches where the event has no value at the path. */
  readonly absent: boolean;
  /** How many members the list in the pattern has. */
  readonly size: number;
}

export interface Field {
  object?: ObjectPattern;
  leaf?: Leaf;
}

/** All fields have to match, and of each group of alternatives one. */
export interface ObjectPattern {
  readonly fields: Map<string, Field>;
  readonly alternatives: (readonly ObjectPattern[])[];
}

export function emptyPattern(): ObjectPattern {
  return { fields: new Map(), alternatives: [] };
}

/**
 * How many combinations of values a pattern stands for: the product over its leaves of `weight`, alternatives added up.
 * Infinity once it is past all bounds.
 */
export function combinationsOf(pattern: ObjectPattern, weight: (leaf: Leaf) => number): number {
  let product = 1;
  for (const { object, leaf } of pattern.fields.values()) {
    if (leaf !== undefined) product *= weight(leaf);
    if (object !== undefined) product *= combinationsOf(object, weight);
  }
  for (const group of pattern.alternatives)
    product *= group.reduce((sum, alternative) => sum + combinationsOf(alternative, weight), 0);
  return product;
}
