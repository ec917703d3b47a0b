import { describe, expect, it } from "vitest";
import { createCredentialStore } from "./credentials.ts";
import { credentialScope } from "./scope.ts";
import type { Sessions } from "./sessions.ts";

const sessions: Sessions = {
  mintFor() {
    throw new Error("nobody asks");
  },
  mint() {
    throw new Error("not here");
  },
  open: (_, token) => (token === "old" ? "expired" : undefined),
};

describe("the credential store", () => {
  const store = createCredentialStore({
    account: "111122223333",
    rootKey: { id: "AKIAROOT", secret: "s" },
    sessions,
  });

  it("knows a generated root key from anywhere, and the well-known one not at all", () => {
    expect(store.lookup("AKIAROOT", undefined)).toMatchObject({
      loopbackOnly: false,
      principal: { account: "111122223333" },
    });
    expect(store.lookup("test", undefined)).toBe("unknown");
  });

  it("tells a strange token from an expired one", () => {
    expect(store.lookup("ASIAX", "strange")).toBe("invalid-token");
    expect(store.lookup("ASIAX", "old")).toBe("expired");
    expect(store.lookup("ASIAX", undefined)).toBe("unknown");
  });
});

describe("credentialScope", () => {
  const scope = { accessKeyId: "test", date: "20260101", region: "eu-west-1", service: "lambda" };

  it("reads the header and the query, and nothing that is malformed", () => {
    const authorization =
      "AWS4-HMAC-SHA256 Credential=test/20260101/eu-west-1/lambda/aws4_request, SignedHeaders=host, Signature=0";
    expect(credentialScope({ headers: { authorization }, query: "" })).toEqual(scope);
    const query = "X-Amz-Credential=test%2F20260101%2Feu-west-1%2Flambda%2Faws4_request";
    expect(credentialScope({ headers: {}, query })).toEqual(scope);
    expect(credentialScope({ headers: {}, query: "" })).toBeUndefined();
    expect(
      credentialScope({ headers: { authorization: "Credential=a/b/c/d/e/aws4_request" }, query }),
    ).toBeUndefined();
  });
});
