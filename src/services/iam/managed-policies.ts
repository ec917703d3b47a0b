import { EXECUTION_POLICIES } from "./managed/execution-roles.ts";
import { JOB_POLICIES } from "./managed/job-functions.ts";
import { SERVICE_POLICIES } from "./managed/services.ts";
import type { ManagedPolicy } from "./managed/types.ts";

export type { ManagedPolicy } from "./managed/types.ts";

/** Policies that AWS manages and that users of Lambda attach. */
export const MANAGED_POLICIES: readonly ManagedPolicy[] = [
  ...EXECUTION_POLICIES,
  ...SERVICE_POLICIES,
  ...JOB_POLICIES,
];

export function managedPolicyArn(policy: ManagedPolicy): string {
  return `arn:aws:iam::aws:policy${policy.path}${policy.name}`;
}

const BY_ARN = new Map(MANAGED_POLICIES.map((policy) => [managedPolicyArn(policy), policy]));

export function findManagedPolicy(arn: string): ManagedPolicy | undefined {
  return BY_ARN.get(arn);
}

export function managedPolicyDocument(policy: ManagedPolicy): string {
  return JSON.stringify({ Version: "2012-10-17", Statement: policy.statements }, null, 4);
}
