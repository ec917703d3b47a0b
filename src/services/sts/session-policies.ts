import type { PolicyDescriptorType } from "@aws-sdk/client-sts";
import { parsePolicy, PolicyProblem } from "#policy/grammar";
import type { Roles } from "./deps.ts";
import { stsErrors } from "./errors.ts";

/** The space that a session's policies and tags may take together, in bytes. */
const PACKED_BYTES = 4096;

interface SessionInput {
  readonly Policy?: string | undefined;
  readonly PolicyArns?: readonly PolicyDescriptorType[] | undefined;
}

export interface SessionPolicies {
  readonly policies?: readonly string[];
  readonly policyArns?: readonly string[];
}

/** @throws AwsError MalformedPolicyDocument, InvalidParameterValue */
export function sessionPolicies(roles: Roles, account: string, input: SessionInput): SessionPolicies {
  const { Policy } = input;
  const policyArns = (input.PolicyArns ?? []).map(({ arn }) => arn ?? "");
  if (Policy !== undefined) requireWellFormed(Policy);
  const missing = policyArns.find((arn) => !roles.hasPolicy(account, arn));
  if (missing !== undefined) throw stsErrors.policyMissing(missing);
  return {
    ...(Policy === undefined ? {} : { policies: [Policy] }),
    ...(policyArns.length === 0 ? {} : { policyArns }),
  };
}

/**
 * How much of its space a session's policies and tags take, in per cent; undefined where there are none.
 * @throws AwsError PackedPolicyTooLarge
 */
export function packedSize(
  { policies = [], policyArns = [] }: SessionPolicies,
  tags: Readonly<Record<string, string>>,
): number | undefined {
  const parts = [...policies, ...policyArns, ...Object.entries(tags).flat()];
  if (parts.length === 0) return undefined;
  const percent = Math.ceil((Buffer.byteLength(parts.join("")) * 100) / PACKED_BYTES);
  if (percent > 100) throw stsErrors.packedTooLarge(percent);
  return percent;
}

function requireWellFormed(text: string): void {
  try {
    parsePolicy(text, "identity");
  } catch (error) {
    throw error instanceof PolicyProblem ? stsErrors.malformedPolicy(error.message) : error;
  }
}
