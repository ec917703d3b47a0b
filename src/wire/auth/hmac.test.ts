import { createHmac } from "node:crypto";
import { expect, test } from "vitest";
import { HmacKey } from "./hmac.ts";

test("agrees with node:crypto for every length of key and of text, one key used again and again", () => {
  const differing: string[] = [];
  for (let length = 0; length <= 64; length++) {
    const key = Buffer.alloc(length, length);
    const hmac = new HmacKey(key);
    // One, two, three and four bytes of UTF-8, and half of a pair; 341 is where texts leave the kept buffer.
    for (const letter of ["a", "é", "€", "😀", "\ud800"])
      for (const count of [400, 342, 341, 340, length, 1, 0]) {
        const text = letter.repeat(count);
        const expected = createHmac("sha256", key).update(text).digest("hex");
        if (hmac.hex(text) !== expected) differing.push(`${length} ${letter} ${count}`);
      }
  }
  expect(differing).toEqual([]);
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
