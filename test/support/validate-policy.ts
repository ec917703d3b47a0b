import type { PolicyType, ValidatePolicyResourceType } from "@aws-sdk/client-accessanalyzer";
import { Reference } from "../../src/services/accessanalyzer/reference/reference.ts";
import { validate } from "../../src/services/accessanalyzer/validation/validate.ts";
import { loadPermissions } from "../../src/wire/schema/permissions.ts";

const reference = new Reference(loadPermissions());
export const TRUST = "AWS::IAM::AssumeRolePolicyDocument";

export function findings(
  policy: object | string,
  type: PolicyType = "IDENTITY_POLICY",
  resourceType?: ValidatePolicyResourceType,
) {
  const text = typeof policy === "string" ? policy : JSON.stringify(policy);
  return validate(text, { type, resourceType }, reference);
}

/** Codes of what is found in a document of version 2012-10-17. */
export function codes(
  statement: object | readonly object[],
  type?: PolicyType,
  resourceType?: ValidatePolicyResourceType,
): readonly string[] {
  return findings({ Version: "2012-10-17", Statement: statement }, type, resourceType).map(
    ({ issueCode = "" }) => issueCode,
  );
}

export const allow = (Action: unknown, Resource: unknown = "*", more: object = {}) => ({
  Effect: "Allow",
  Action,
  Resource,
  ...more,
});

/** Codes of a statement that allows `s3:GetObject` under a condition. */
export const under = (Condition: unknown, more: object = {}) =>
  codes(allow("s3:GetObject", "arn:aws:s3:::b/*", { Condition, ...more }));
