import * as fc from "fast-check";
import { expect, it } from "vitest";
import { accountOfAccessKey, makeAccessKeyId } from "./access-key-id.ts";
import { systemIds } from "./ids.ts";

it("says its account", () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 999_999_999_999 }), (number) => {
      const account = String(number).padStart(12, "0");
      const id = makeAccessKeyId("AKIA", account, systemIds);
      expect(id).toMatch(/^AKIA[A-Z2-7]{16}$/);
      expect(accountOfAccessKey(id)).toBe(account);
    }),
  );
});

it("knows what names no account", () => {
  // Published in AWS's own documentation; ids from before 2019 do not have the form.
  expect(accountOfAccessKey("AKIAIOSFODNN7EXAMPLE")).toBeUndefined();
  fc.assert(fc.property(fc.string(), (text) => accountOfAccessKey(text) === undefined || text.length === 20));
});

it("reads the ids of AWS", () => {
  // "A short note on AWS key ID" (Tal Be'ery) decodes this id to this account.
  expect(accountOfAccessKey("ASIAQNZGKIQY56JQ7WML")).toBe("029608264753");
});
