import { describe, expect, it } from "vitest";
import { MANAGED_POLICIES, managedPolicyDocument } from "./managed-policies.ts";
import { checkPolicyDocument, encodeDocument } from "./policy-document.ts";

const policy = (statement: object, rest: object = { Version: "2012-10-17" }) =>
  JSON.stringify({ ...rest, Statement: [statement] });
const allow = { Effect: "Allow", Action: "s3:GetObject", Resource: "*" };

describe("checkPolicyDocument", () => {
  it.each([
    ["{", "Syntax errors in policy."],
    ["[]", "Syntax errors in policy."],
    [policy(allow, {}), "Policy document must be version 2012-10-17 or greater."],
    ['{"Version":"2012-10-17"}', "Syntax errors in policy."],
    [policy({ Effect: "Allow", Resource: "*" }), "Policy statement must contain actions."],
    [policy({ Effect: "Allow", Action: "s3:Get" }), "Policy statement must contain resources."],
    [policy({ ...allow, Effect: "Maybe" }), "Syntax errors in policy."],
    [policy({ ...allow, Resource: "bucket" }), 'Resource bucket must be in ARN format or "*".'],
    [policy({ ...allow, Principal: "*" }), "Policy document should not specify a principal."],
  ])("refuses %s", (document, message) => {
    expect(() => checkPolicyDocument(document, "identity")).toThrow(message);
  });

  it("holds trust policies to their own rules", () => {
    const trust = {
      Effect: "Allow",
      Principal: { Service: "lambda.amazonaws.com" },
      Action: "sts:AssumeRole",
    };
    expect(() => checkPolicyDocument(policy(trust), "trust")).not.toThrow();
    expect(() => checkPolicyDocument("{", "trust")).toThrow("This policy contains invalid Json");
    expect(() => checkPolicyDocument(policy({ ...trust, Resource: "*" }), "trust")).toThrow(
      "Has prohibited field Resource",
    );
    expect(() => checkPolicyDocument(policy({ ...trust, Action: "s3:GetObject" }), "trust")).toThrow(
      "AssumeRole policy may only specify STS AssumeRole actions.",
    );
  });

  it.each(MANAGED_POLICIES)("takes $name", (managed) => {
    expect(() => checkPolicyDocument(managedPolicyDocument(managed), "identity")).not.toThrow();
  });
});

describe("encodeDocument", () => {
  it("encodes what RFC 3986 reserves and can be decoded", () => {
    expect(encodeDocument(`{"a":"(*)'!"}`)).toBe("%7B%22a%22%3A%22%28%2A%29%27%21%22%7D");
  });
});
