import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { CborError, CborTag, decodeCbor } from "./decode.ts";
import { encodeCbor } from "./encode.ts";

const { item } = fc.letrec((tie) => ({
  item: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    fc.string({ unit: "grapheme" }),
    fc.integer(),
    fc.maxSafeInteger(),
    fc.double({ noNaN: true }),
    fc.boolean(),
    fc.constant(null),
    fc.uint8Array().map((bytes) => Buffer.from(bytes)),
    fc.array(tie("item"), { maxLength: 4 }),
    fc.array(fc.tuple(fc.string(), tie("item")), { maxLength: 4 }).map((entries) => new Map(entries)),
    tie("item").map((value) => new CborTag(1, value)),
  ),
}));

describe("CBOR", () => {
  it("reads back what it writes", () => {
    fc.assert(
      fc.property(item, (value) => {
        expect(decodeCbor(encodeCbor(value))).toEqual(value);
      }),
    );
  });

  // RFC 8949, appendix A.
  it.each([
    ["00", 0],
    ["1864", 100],
    ["1a000f4240", 1_000_000],
    ["1bffffffffffffffff", 18_446_744_073_709_551_615n],
    ["3863", -100],
    ["f93c00", 1],
    ["f90001", 5.960_464_477_539_063e-8],
    ["f97c00", Number.POSITIVE_INFINITY],
    ["fb3ff199999999999a", 1.1],
    ["fa47c35000", 100_000],
    ["f4", false],
    ["f6", null],
    ["f7", null],
    ["5f42010243030405ff", Buffer.from("0102030405", "hex")],
    ["7f657374726561646d696e67ff", "streaming"],
    ["9f018202039f0405ffff", [1, [2, 3], [4, 5]]],
    [
      "bf61610161629f0203ffff",
      new Map<string, unknown>([
        ["a", 1],
        ["b", [2, 3]],
      ]),
    ],
  ])("decodes %s", (hex, value) => {
    expect(decodeCbor(Buffer.from(hex, "hex"))).toEqual(value);
  });

  it.each([
    ["nothing", ""],
    ["an item that ends too early", "1a00"],
    ["text that ends too early", "7a7fffffff61"],
    ["more elements than there are bytes", "9a7fffffff"],
    ["a second item", "0000"],
    ["text that is not UTF-8", "62c328"],
    ["a key that is no text", "a10101"],
    ["a break on its own", "ff"],
    ["a break where a value belongs", "a16161ff"],
    ["a reserved length", "1c"],
    ["an indefinite integer", "1f"],
    ["a chunk of another type", "5f6161ff"],
    ["nesting without end", "81".repeat(10_000)],
  ])("refuses %s", (_, hex) => {
    expect(() => decodeCbor(Buffer.from(hex, "hex"))).toThrow(CborError);
  });

  it("refuses or reads any bytes, and never breaks", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
        try {
          decodeCbor(Buffer.from(bytes));
        } catch (error) {
          expect(error).toBeInstanceOf(CborError);
        }
      }),
      { numRuns: 1000 },
    );
  });
});
