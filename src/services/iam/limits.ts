/** Quotas of IAM ("IAM and AWS STS quotas", IAM user guide). Sizes in characters, white space not counted. */
export const LIMITS = {
  pageItems: 100,
  assumeRolePolicySize: 2048,
  managedPolicySize: 6144,
  inlinePoliciesSize: 10_240,
  policiesPerRole: 10,
  policyVersions: 5,
  tags: 50,
  sessionSeconds: 3600,
} as const;
