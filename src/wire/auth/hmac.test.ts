import { createHmac } from "node:crypto";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { HmacKey } from "./hmac.ts";

test("agrees with node:crypto on any key of a block and any text, used again and again", () => {
  const key = fc.uint8Array({ maxLength: 64 });
  const texts = fc.array(fc.string({ unit: "binary", maxLength: 500 }), { minLength: 1, maxLength: 3 });
  fc.assert(
    fc.property(key, texts, (bytes, several) => {
      const hmac = new HmacKey(bytes);
      for (const text of several)
        expect(hmac.hex(text)).toBe(createHmac("sha256", bytes).update(text).digest("hex"));
    }),
    { numRuns: 40 },
  );
});

test("gives the digests of RFC 4231's first two cases", () => {
  expect(new HmacKey(Buffer.alloc(20, 0x0b)).hex("Hi There")).toBe(
    "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7",
  );
  expect(new HmacKey(Buffer.from("Jefe")).hex("what do ya want for nothing?")).toBe(
    "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
  );
});

test("refuses a key that would have to be hashed first", () => {
  expect(() => new HmacKey(Buffer.alloc(65))).toThrow(RangeError);
});
