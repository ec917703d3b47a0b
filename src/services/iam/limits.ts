/** Quotas of IAM ("IAM and AWS STS quotas", IAM user guide). Sizes in characters, white space not counted. Those of accounts are in quotas.ts. */
export const LIMITS = {
  pageItems: 100,
  assumeRolePolicySize: 2048,
  managedPolicySize: 6144,
  /** Of all inline policies of one holder together. */
  inlinePoliciesSize: { role: 10_240, user: 2048, group: 5120 },
  policiesPerHolder: 10,
  groupsPerUser: 10,
  accessKeysPerUser: 2,
  mfaDevicesPerUser: 8,
  serviceCredentialsPerService: 2,
  policyVersions: 5,
  samlPrivateKeys: 2,
  clientIdsPerProvider: 100,
  sshPublicKeysPerUser: 5,
  signingCertificatesPerUser: 2,
  tags: 50,
  sessionSeconds: 3600,
} as const;
