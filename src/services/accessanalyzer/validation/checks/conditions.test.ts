import { describe, expect, it } from "vitest";
import { allow, codes, findings, under } from "../../../../../test/support/validate-policy.ts";

describe("conditions", () => {
  it("have operators, keys and values", () => {
    expect(under({})).toEqual(["EMPTY_OBJECT_CONDITION"]);
    expect(under({ StringEquals: {} })).toEqual(["EMPTY_OBJECT_CONDITION"]);
    expect(under({ StringSame: { "aws:username": "a" } })).toEqual(["INVALID_CONDITION_OPERATOR"]);
    expect(under({ NullIfExists: { "aws:username": "true" } })).toEqual(["NULL_WITH_IF_EXISTS"]);
    expect(under({ "ForAllValues:Null": { "aws:TagKeys": "true" } })).toEqual(["NULL_WITH_QUALIFIER"]);
    expect(under({ StringEquals: { username: "a" } })).toEqual(["INVALID_CONDITION_KEY_FORMAT"]);
    expect(under({ StringEquals: { "aws:username": "a", "aws:UserName": "b" } })).toEqual([
      "DUPLICATE_KEYS_WITH_DIFFERENT_CASE",
    ]);
    expect(under({ StringEquals: { "aws:username": [] } })).toEqual(["EMPTY_ARRAY_CONDITION"]);
    expect(under({ StringEqualsIfExists: { "aws:username": [] } })).toEqual([
      "EMPTY_ARRAY_CONDITION_IFEXISTS",
    ]);
    expect(under({ "ForAllValues:StringEquals": { "aws:TagKeys": [] } })).toEqual([
      "EMPTY_ARRAY_CONDITION_FORALLVALUES",
    ]);
    expect(under({ "ForAnyValue:StringEquals": { "aws:TagKeys": [] } })).toEqual([
      "EMPTY_ARRAY_CONDITION_FORANYVALUE",
    ]);
    expect(under({ StringEquals: { "aws:username": ["a", 1] } })).toEqual(["INVALID_CONDITION_DATA_TYPE"]);
  });

  it("have keys that AWS has, compared as they should be", () => {
    expect(under({ StringEquals: { "aws:UserNames": "a" } })).toEqual(["INVALID_GLOBAL_CONDITION_KEY"]);
    expect(under({ StringEquals: { "s3:Prefixes": "a" } })).toEqual(["INVALID_SERVICE_CONDITION_KEY"]);
    expect(under({ StringEquals: { "nothing:key": "a" } })).toEqual(["INVALID_SERVICE"]);
    expect(under({ StringEquals: { "aws:ARN": "a" } })).toEqual(["UNSUPPORTED_GLOBAL_CONDITION_KEY"]);
    expect(under({ StringEquals: { "aws:ResourceTag": "a" } })).toEqual(["MISSING_TAG_KEY_IN_CONDITION"]);
    expect(under({ StringEquals: { "s3:ExistingObjectTag/team": "a" } })).toEqual([]);
    expect(under({ StringEquals: { "aws:TagKeys": "a" } })).toEqual(["MISSING_QUALIFIER"]);
    expect(under({ "ForAllValues:StringEquals": { "aws:username": "a" } })).toEqual([
      "FORALLVALUES_WITH_SINGLE_VALUED_KEY",
    ]);
    expect(under({ StringEquals: { "aws:SecureTransport": "true" } })).toEqual(["TYPE_MISMATCH"]);
    expect(under({ StringLike: { "aws:SourceArn": "arn:aws:s3:::b" } })).toEqual([
      "STRING_LIKE_OPERATOR_WITH_ARN_CONDITION_KEYS",
    ]);
    expect(under({ StringEquals: { "aws:Referer": "a" } })).toEqual(["UNTRUSTWORTHY_CONDITION_KEY"]);
    expect(under({ IpAddress: { "aws:VpcSourceIp": "10.0.0.0/8" } })).toEqual([
      "MISSING_PAIRED_CONDITION_KEYS",
    ]);
    expect(under({ StringEquals: { "oidc.example.com/id:sub": "a" } })).toEqual([]);
  });

  it("have values of their operator's kind", () => {
    expect(under({ Bool: { "aws:SecureTransport": "yes" } })).toEqual(["TYPE_MISMATCH_BOOLEAN"]);
    expect(under({ Bool: { "aws:SecureTransport": ["true", "false"] } })).toEqual([
      "INVALID_CONDITION_MULTIPLE_BOOLEAN",
    ]);
    expect(under({ NumericLessThan: { "aws:MultiFactorAuthAge": "an hour" } })).toEqual([
      "TYPE_MISMATCH_NUMBER",
    ]);
    expect(under({ NumericLessThan: { "aws:MultiFactorAuthAge": ["2700", "3600"] } })).toEqual([
      "REDUNDANT_CONDITION_VALUE_NUM",
    ]);
    expect(under({ DateLessThan: { "aws:CurrentTime": "tomorrow" } })).toEqual(["TYPE_MISMATCH_DATE"]);
    expect(under({ DateLessThan: { "aws:CurrentTime": "1735689600" } })).toEqual(["INVALID_DATE_VALUE"]);
    expect(under({ DateLessThan: { "aws:CurrentTime": "2027-01-01T00:00:00Z" } })).toEqual([]);
    expect(under({ IpAddress: { "aws:SourceIp": "203.0.113.0/40" } })).toEqual(["TYPE_MISMATCH_IP_RANGE"]);
    expect(
      findings({
        Version: "2012-10-17",
        Statement: allow("s3:*", "*", { Condition: { IpAddress: { "aws:SourceIp": "203.0.113.7/24" } } }),
      }),
    ).toMatchObject([
      {
        findingDetails:
          "The non-zero bits in the IP address after the masked bits are ignored. Replace address with 203.0.113.0/24.",
      },
    ]);
    expect(under({ IpAddress: { "aws:SourceIp": "10.0.0.0/8" } })).toEqual(["PRIVATE_IP_ADDRESS"]);
    expect(under({ NotIpAddress: { "aws:SourceIp": ["10.0.0.0/8", "203.0.113.0/24"] } })).toEqual([
      "PRIVATE_NOT_IP_ADDRESS_SUBSET",
    ]);
    expect(under({ StringEquals: { "aws:username": "a*" } })).toEqual(["WILDCARD_WITHOUT_LIKE_OPERATOR"]);
    expect(under({ StringEquals: { "aws:RequestedRegion": "mars" } })).toEqual(["INVALID_REGION"]);
    expect(under({ StringEquals: { "aws:SourceVpc": "vpc-1" } })).toEqual(["INVALID_VPC_FORMAT"]);
    expect(under({ StringEquals: { "aws:SourceVpce": "vpce-1" } })).toEqual(["INVALID_VPCE_FORMAT"]);
  });

  it("restrict what they seem to", () => {
    const list = (Effect: string, operator: string) =>
      codes({
        Effect,
        Action: "s3:ListBucket",
        Resource: "arn:aws:s3:::b",
        Condition: { [operator]: { "s3:prefix": "a/" } },
      });
    expect(list("Allow", "StringLike")).toEqual([]);
    expect(list("Allow", "StringNotLike")).toEqual(["S3_PREFIX_IN_NEGATIVE_CONTEXT"]);
    expect(list("Deny", "StringLike")).toEqual(["S3_PREFIX_IN_NEGATIVE_CONTEXT"]);
    expect(
      codes(
        allow("dynamodb:GetItem", "arn:aws:dynamodb:us-east-1:123456789012:table/t", {
          Condition: { "ForAllValues:StringEquals": { "dynamodb:Attributes": ["a"] } },
        }),
      ),
    ).toEqual(["DYNAMODB_ATTRIBUTES_WITHOUT_SELECT"]);
  });
});

describe("variables", () => {
  const on = (resource: string) => codes(allow("s3:GetObject", resource));
  it("are well-formed, and where IAM replaces them", () => {
    expect(on("arn:aws:s3:::b/${aws:username")).toEqual(["MISSING_BRACE_IN_VARIABLE"]);
    expect(on("arn:aws:s3:::b/${}")).toEqual(["EMPTY_VARIABLE"]);
    expect(on("arn:aws:s3:::b/${aws: username}")).toEqual(["UNSUPPORTED_SPACE_IN_VARIABLE"]);
    expect(on("arn:aws:s3:::b/${aws:username, 'x}")).toEqual(["MISSING_QUOTE_IN_VARIABLE"]);
    expect(on("arn:aws:s3:::b/${aws:username, 'x'}")).toEqual([]);
    expect(codes(allow("s3:${aws:username}"))).toEqual(["VARIABLE_UNSUPPORTED_IN_ELEMENT"]);
    expect(under({ NumericEquals: { "aws:MultiFactorAuthAge": "${aws:username}" } })).toEqual([
      "INVALID_VARIABLE_FOR_OPERATOR",
    ]);
    const old = { Version: "2008-10-17", Statement: allow("s3:GetObject", "arn:aws:s3:::b/${aws:username}") };
    expect(findings(old)).toMatchObject([{ issueCode: "VARIABLE_UNSUPPORTED_IN_VERSION" }]);
  });
});
