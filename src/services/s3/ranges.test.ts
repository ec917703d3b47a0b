import * as fc from "fast-check";
import { expect, it } from "vitest";
import { AwsError } from "#core/errors";
import { readCopyRange, readRange } from "./ranges.ts";

const header = fc.oneof(
  fc.string(),
  fc
    .tuple(fc.oneof(fc.constant(""), fc.nat(30)), fc.oneof(fc.constant(""), fc.nat(30)))
    .map(([first, last]) => `bytes=${first}-${last}`),
);

it.each([
  ["Range", readRange],
  ["x-amz-copy-source-range", readCopyRange],
])("%s never reaches beyond the object, whatever comes", (_, read) => {
  fc.assert(
    fc.property(header, fc.nat(20), (text, size) => {
      try {
        const range = read(text, size);
        if (range === undefined) return;
        expect(range.start).toBeGreaterThanOrEqual(0);
        expect(range.end).toBeGreaterThan(range.start);
        expect(range.end).toBeLessThanOrEqual(size);
      } catch (error) {
        expect(error).toBeInstanceOf(AwsError);
      }
    }),
  );
});
