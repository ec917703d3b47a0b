import { describe, expect, it } from "vitest";
import { allow, codes, TRUST } from "../../../../../test/support/validate-policy.ts";

describe("principals", () => {
  const open = (Principal: unknown, more: object = {}) => ({
    Principal,
    ...allow("s3:GetObject", "arn:aws:s3:::b/*"),
    ...more,
  });
  const bucket = (statement: object) => codes(statement, "RESOURCE_POLICY", "AWS::S3::Bucket");
  const trust = (statement: object) =>
    codes({ Effect: "Allow", Action: "sts:AssumeRole", ...statement }, "RESOURCE_POLICY", TRUST);

  it("are for policies of resources, and must be there", () => {
    expect(codes(open("*"))).toEqual(["UNSUPPORTED_PRINCIPAL"]);
    expect(codes(open("*"), "SERVICE_CONTROL_POLICY")).toEqual(["SCP_SYNTAX_ERROR_PRINCIPAL"]);
    expect(codes(open({ AWS: "*" }, { Effect: "Deny" }), "RESOURCE_CONTROL_POLICY")).toEqual([
      "RCP_SYNTAX_ERROR_PRINCIPAL",
    ]);
    expect(bucket(allow("s3:GetObject", "arn:aws:s3:::b/*"))).toEqual(["MISSING_PRINCIPAL"]);
  });

  it("are named as IAM names them", () => {
    expect(bucket(open("123456789012"))).toEqual(["INVALID_PRINCIPAL_FORMAT"]);
    expect(bucket(open({ User: "x" }))).toEqual(["INVALID_PRINCIPAL_KEY"]);
    expect(bucket(open({}))).toEqual(["EMPTY_OBJECT_PRINCIPAL"]);
    expect(bucket(open({ AWS: [] }))).toEqual(["EMPTY_ARRAY_PRINCIPAL"]);
    expect(bucket(open({ AWS: "arn:aws:iam::123456789012:user/*" }))).toEqual([
      "UNSUPPORTED_WILDCARD_IN_PRINCIPAL",
    ]);
    expect(bucket(open({ AWS: ["AROACKCEVSQ6C2EXAMPLE", "AIDACKCEVSQ6C2EXAMPLE"] }))).toEqual([
      "INVALID_ROLE_REFERENCE",
      "INVALID_USER_REFERENCE",
    ]);
    expect(bucket(open({ Federated: "accounts.google.com" }))).toEqual(["FEDERATED_PRINCIPAL_NOT_SUPPORTED"]);
    expect(bucket({ ...open(undefined), NotPrincipal: { AWS: "123456789012" } })).toEqual([
      "ALLOW_WITH_NOT_PRINCIPAL",
    ]);
  });

  it("that are services want the source told", () => {
    const Condition = { StringEquals: { "aws:SourceAccount": "123456789012" } };
    expect(bucket(open({ Service: "logs.amazonaws.com" }))).toEqual(["RESTRICT_ACCESS_TO_SERVICE_PRINCIPAL"]);
    expect(bucket(open({ Service: "logs.amazonaws.com" }, { Condition }))).toEqual([]);
    expect(bucket(open({ Service: "logs" }, { Condition }))).toEqual(["INVALID_SERVICE_PRINCIPAL_FORMAT"]);
  });

  it("of roles' trust policies have rules of their own", () => {
    expect(trust({ Principal: "*" })).toEqual(["ROLE_TRUST_POLICY_UNSUPPORTED_WILDCARD_IN_PRINCIPAL"]);
    expect(trust({ NotPrincipal: { AWS: "123456789012" } })).toEqual([
      "ROLE_TRUST_POLICY_SYNTAX_ERROR_NOTPRINCIPAL",
    ]);
    expect(trust({ Principal: { AWS: "123456789012" }, Resource: "*" })).toEqual([
      "ROLE_TRUST_POLICY_SYNTAX_ERROR_RESOURCE",
    ]);
    expect(trust({ Principal: { Service: "rolesanywhere.amazonaws.com" } })).toEqual([
      "MISSING_ACTION_FOR_ROLES_ANYWHERE_TRUST_POLICY",
    ]);
    const role = "arn:aws:iam::123456789012:role/r";
    const session = "arn:aws:sts::123456789012:assumed-role/r/s";
    expect(trust({ Principal: { AWS: [role, session] } })).toEqual([
      "REDUNDANT_PRINCIPAL_IN_ROLE_TRUST_POLICY",
    ]);
  });

  it("of identity providers want their claims looked at", () => {
    const web = (Federated: string, Condition?: object) =>
      trust({ Principal: { Federated }, Action: "sts:AssumeRoleWithWebIdentity", Condition });
    const github = "arn:aws:iam::123456789012:oidc-provider/token.actions.githubusercontent.com";
    const subject = (value: string) => ({
      StringLike: { "token.actions.githubusercontent.com:sub": value },
    });
    expect(web("accounts.google.com", { StringEquals: { "accounts.google.com:aud": "a" } })).toEqual([]);
    expect(web("accounts.google.com", {})).toEqual([
      "MISSING_CONDITION_KEY_FOR_OIDC_PRINCIPAL",
      "EMPTY_OBJECT_CONDITION",
    ]);
    expect(web("nonsense", {})).toContain("INVALID_FEDERATED_PRINCIPAL_SYNTAX_IN_ROLE_TRUST_POLICY");
    expect(web("arn:aws:iam::123456789012:saml-provider/p", {})).toContain("MISMATCHED_ACTION_FOR_PRINCIPAL");
    expect(web(github, { StringEquals: { "token.actions.githubusercontent.com:ref": "x" } })).toEqual([
      "MISSING_GITHUB_REPO_CONDITION_KEY",
    ]);
    expect(web(github, subject("repo:org/*"))).toEqual(["SPECIFIC_GITHUB_REPO_AND_BRANCH_RECOMMENDED"]);
    expect(web(github, subject("repo:org/name:ref:refs/heads/main"))).toEqual([]);
  });
});
