import { generateKeyPairSync, sign, type KeyObject } from "node:crypto";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { AwsError } from "#core/errors";
import type { PublishedKey } from "./key-source.ts";
import { readToken, requireSignature, requireValidAt } from "./token.ts";

const rsa = generateKeyPairSync("rsa", { modulusLength: 2048 });
const ec = generateKeyPairSync("ec", { namedCurve: "P-256" });
const published = (key: KeyObject, kid: string): PublishedKey => ({ ...key.export({ format: "jwk" }), kid });
const keys = [published(rsa.publicKey, "r"), published(ec.publicKey, "e")];
const claims = { iss: "https://idp.example", sub: "me", aud: "app", exp: 2000 };

const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString("base64url");

function issue(alg: string, key: KeyObject, kid: string, body: object = claims): string {
  const signed = `${encode({ alg, kid })}.${encode(body)}`;
  const signature = sign("sha256", Buffer.from(signed), { key, dsaEncoding: "ieee-p1363" });
  return `${signed}.${signature.toString("base64url")}`;
}

describe("requireSignature", () => {
  it.each([
    ["RS256", rsa.privateKey, "r"],
    ["ES256", ec.privateKey, "e"],
  ])("takes %s", (alg, key, kid) => {
    expect(() => requireSignature(readToken(issue(alg, key, kid)), keys)).not.toThrow();
  });

  it("refuses what another key signed, what was changed, and what names no key of the provider's", () => {
    const other = generateKeyPairSync("ec", { namedCurve: "P-256" });
    const forged = readToken(issue("ES256", other.privateKey, "e"));
    expect(() => requireSignature(forged, keys)).toThrow("does not match");
    const [head, , signature] = issue("RS256", rsa.privateKey, "r").split(".");
    const changed = `${head}.${encode({ ...claims, sub: "you" })}.${signature}`;
    expect(() => requireSignature(readToken(changed), keys)).toThrow("does not match");
    const unknown = readToken(issue("RS256", rsa.privateKey, "x"));
    expect(() => requireSignature(unknown, keys)).toThrow("Couldn't retrieve verification key");
  });

  it("refuses tokens that need no key, or whose key would be the public one", () => {
    const body = encode(claims);
    for (const alg of ["none", "HS256", "__proto__"])
      expect(() => requireSignature(readToken(`${encode({ alg })}.${body}.`), keys)).toThrow("not supported");
    // An algorithm of the other kind of key.
    expect(() => requireSignature(readToken(issue("RS256", ec.privateKey, "e")), keys)).toThrow(
      "Couldn't retrieve",
    );
  });
});

it("knows when a token is over, and when it is not yet to be used", () => {
  const token = readToken(issue("RS256", rsa.privateKey, "r", { ...claims, nbf: 1000 }));
  expect(() => requireValidAt(token, 1_999_999)).not.toThrow();
  expect(() => requireValidAt(token, 2_000_000)).toThrow(
    "Token expired: current date/time 2000 must be before the expiration date/time 2000",
  );
  expect(() => requireValidAt(token, 900_000)).toThrow("not valid yet");
});

it("takes the party that a token was issued to for its audience", () => {
  const { audiences } = readToken(
    issue("RS256", rsa.privateKey, "r", { ...claims, aud: ["a", "b"], azp: "b" }),
  );
  expect(audiences).toEqual(["b"]);
});

it("refuses whatever is no token with an error of AWS's", () => {
  const json = fc.json({ maxDepth: 1 }).map((text) => Buffer.from(text).toString("base64url"));
  const texts = fc.oneof(
    fc.string(),
    fc.array(fc.oneof(json, fc.base64String()), { maxLength: 4 }).map((parts) => parts.join(".")),
  );
  fc.assert(
    fc.property(texts, (text) => {
      try {
        requireSignature(readToken(text), keys);
      } catch (error) {
        return error instanceof AwsError && error.code === "InvalidIdentityToken";
      }
      return false;
    }),
  );
});
