import { describe, expect, it } from "vitest";
import { isPublic } from "./policy.ts";

const allow = (more: object = {}) => ({ Effect: "Allow", Principal: "*", Action: "s3:GetObject", ...more });

describe("a bucket policy's being public (Amazon S3 User Guide, “The meaning of ‘public’”)", () => {
  it.each([
    [allow(), true],
    [allow({ Principal: { AWS: "*" } }), true],
    [allow({ Principal: { AWS: ["arn:aws:iam::111122223333:root", "*"] } }), true],
    [allow({ Principal: undefined, NotPrincipal: { AWS: "111122223333" } }), true],
    [allow({ Effect: "Deny" }), false],
    [allow({ Principal: { AWS: "111122223333" } }), false],
    [allow({ Principal: { Service: "logs.amazonaws.com" } }), false],
    [allow({ Condition: { Bool: { "aws:SecureTransport": "true" } } }), true],
    [allow({ Condition: { StringLike: { "aws:Referer": "https://example.org/*" } } }), true],
    [allow({ Condition: { IpAddress: { "aws:SourceIp": "10.0.0.0/8" } } }), false],
    [allow({ Condition: { IpAddress: { "aws:SourceIp": ["10.0.0.0/8", "0.0.0.0/1"] } } }), true],
    [allow({ Condition: { IpAddress: { "aws:SourceIp": "2001:db8::/32" } } }), false],
    [allow({ Condition: { IpAddress: { "aws:SourceIp": "2000::/8" } } }), true],
    [allow({ Condition: { NotIpAddress: { "aws:SourceIp": "10.0.0.0/8" } } }), true],
    [allow({ Condition: { StringEquals: { "aws:SourceVpc": "vpc-91237329" } } }), false],
    [allow({ Condition: { StringLike: { "aws:SourceVpc": "vpc-*" } } }), true],
    [allow({ Condition: { StringEquals: { "aws:SourceVpc": ["vpc-1", "*"] } } }), true],
    [allow({ Condition: { StringEquals: { "aws:PrincipalArn": "${aws:PrincipalArn}" } } }), true],
    [allow({ Condition: { StringEqualsIfExists: { "aws:SourceVpc": "vpc-1" } } }), true],
    [allow({ Condition: { StringLike: { "aws:userid": "AROAEXAMPLE:*" } } }), true],
  ])("%j: %j", (statement, expected) => expect(isPublic([statement])).toBe(expected));
});
