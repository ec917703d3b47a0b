import { describe, expect, it } from "vitest";
import { type Family, toAwsError } from "./errors.ts";
import type { Failure, FailureKind } from "./failures.ts";

const now = Date.UTC(2026, 0, 1);
const skewMs = 300_000;
const samples: { readonly [Kind in FailureKind]: Extract<Failure, { kind: Kind }> } = {
  "missing-token": { kind: "missing-token" },
  "two-mechanisms": { kind: "two-mechanisms" },
  "unsupported-authorization": { kind: "unsupported-authorization", scheme: "AWS" },
  incomplete: { kind: "incomplete", problems: ["p."], authorization: "X Signature=abc, Y" },
  "malformed-credential": { kind: "malformed-credential", credential: "c" },
  "wrong-terminator": { kind: "wrong-terminator", terminator: "t" },
  "malformed-region": { kind: "malformed-region", region: "../x" },
  "malformed-date": { kind: "malformed-date", date: "d" },
  "scope-date": { kind: "scope-date", scopeDate: "20260102", date: "20260101T000000Z" },
  "host-not-signed": { kind: "host-not-signed" },
  "headers-not-signed": { kind: "headers-not-signed", names: ["x-amz-a"] },
  "unknown-key": { kind: "unknown-key", accessKeyId: "k" },
  "invalid-token": { kind: "invalid-token", token: "sealed" },
  "expired-token": { kind: "expired-token", token: "sealed" },
  mismatch: { kind: "mismatch", accessKeyId: "k", signature: "s", stringToSign: "ab" },
  "signed-too-early": { kind: "signed-too-early", signed: now, now, skewMs },
  "signed-too-late": { kind: "signed-too-late", signed: now, now, skewMs },
  "presign-incomplete": { kind: "presign-incomplete", missing: ["X-Amz-Date"] },
  "presign-lifetime": { kind: "presign-lifetime", problem: "too-long" },
  "presign-expired": { kind: "presign-expired", lifetimeSeconds: 1, expired: now, now },
  "content-hash-missing": { kind: "content-hash-missing" },
  "content-hash-malformed": { kind: "content-hash-malformed", claimed: "x" },
  "content-hash-mismatch": { kind: "content-hash-mismatch", claimed: "x", computed: "y" },
  "decoded-length-missing": { kind: "decoded-length-missing" },
  "payload-incomplete": { kind: "payload-incomplete" },
  "chunk-malformed": { kind: "chunk-malformed" },
  "trailer-malformed": { kind: "trailer-malformed" },
  "payload-too-large": { kind: "payload-too-large", limit: 5 },
};

const families: readonly Family[] = ["rest-json", "target-json", "query", "ec2", "s3"];

describe("the words for a failure", () => {
  it.each(Object.values(samples))("are a client's error that shows no credential: $kind", (failure) => {
    for (const family of families) {
      const error = toAwsError(failure, family);
      expect(error.fault).toBe("client");
      expect(error.status).toBeGreaterThanOrEqual(400);
      expect(error.message).not.toBe("");
      expect(JSON.stringify([error.message, error.members])).not.toMatch(/sealed|Signature=abc/);
    }
  });

  it.each([
    ["missing-token", "AccessDenied", 403],
    ["two-mechanisms", "InvalidArgument", 400],
    ["unsupported-authorization", "InvalidRequest", 400],
    ["malformed-credential", "AuthorizationHeaderMalformed", 400],
    ["unknown-key", "InvalidAccessKeyId", 403],
    ["invalid-token", "InvalidToken", 400],
    ["expired-token", "ExpiredToken", 400],
    ["mismatch", "SignatureDoesNotMatch", 403],
    ["signed-too-late", "RequestTimeTooSkewed", 403],
    ["content-hash-missing", "InvalidRequest", 400],
    ["content-hash-malformed", "InvalidArgument", 400],
    ["content-hash-mismatch", "XAmzContentSHA256Mismatch", 400],
    ["decoded-length-missing", "MissingContentLength", 411],
    ["payload-incomplete", "IncompleteBody", 400],
    ["trailer-malformed", "MalformedTrailerError", 400],
  ] as const)("are S3's own for %s: %s %i", (kind, code, status) => {
    expect(toAwsError(samples[kind], "s3")).toMatchObject({ code, status });
  });

  it.each([
    [
      "rest-json",
      ["MissingAuthenticationTokenException", "UnrecognizedClientException", "ExpiredTokenException"],
    ],
    ["query", ["MissingAuthenticationToken", "InvalidClientTokenId", "ExpiredToken"]],
    ["ec2", ["MissingAuthenticationToken", "AuthFailure", "RequestExpired"]],
  ] as const)("are named as %s names them", (family, codes) => {
    const kinds = ["missing-token", "unknown-key", "expired-token"] as const;
    expect(kinds.map((kind) => toAwsError(samples[kind], family).code)).toEqual(codes);
  });
});
