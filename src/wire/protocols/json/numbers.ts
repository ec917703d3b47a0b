import type { SimpleKind } from "../../schema/model.ts";

export type IntegerKind = Extract<SimpleKind, "byte" | "short" | "integer" | "long">;

const limits: Record<IntegerKind, readonly [min: number, max: number]> = {
  byte: [-(2 ** 7), 2 ** 7 - 1],
  short: [-(2 ** 15), 2 ** 15 - 1],
  integer: [-(2 ** 31), 2 ** 31 - 1],
  // The bounds of 64 bits are no doubles; the upper one rounds to 2^63, which is the nearest number that clients can say.
  long: [-(2 ** 63), 2 ** 63],
};

/** Whether `value` is a whole number that `kind` holds. */
export function fitsInteger(value: number, kind: IntegerKind): boolean {
  const [min, max] = limits[kind];
  return Number.isInteger(value) && value >= min && value <= max;
}

/** The numbers that JSON and text cannot say as digits, spelt as Smithy does. */
const special: Readonly<Record<string, number>> = {
  NaN: Number.NaN,
  Infinity: Number.POSITIVE_INFINITY,
  "-Infinity": Number.NEGATIVE_INFINITY,
};

export function specialNumber(text: string): number | undefined {
  return Object.hasOwn(special, text) ? special[text] : undefined;
}
