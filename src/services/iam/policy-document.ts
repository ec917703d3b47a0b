import { parsePolicy, PolicyProblem, type PolicyUse } from "#policy/grammar";
import { iamErrors } from "./errors.ts";

/**
 * Checks a policy document's grammar.
 * @throws AwsError MalformedPolicyDocument
 */
export function checkPolicyDocument(text: string, use: PolicyUse): void {
  try {
    parsePolicy(text, use);
  } catch (error) {
    throw error instanceof PolicyProblem ? iamErrors.malformed(error.message) : error;
  }
}

/** A document's size as quotas count it. */
export function policySize(text: string): number {
  return text.replaceAll(/\s/gu, "").length;
}

/** Documents come back from IAM percent-encoded as RFC 3986 has it, which leaves fewer characters than JavaScript does. */
export function encodeDocument(text: string): string {
  return encodeURIComponent(text).replaceAll(
    /[!'()*]/gu,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}
