import type { DocumentKey, Documents } from "#storage/documents";
import { iamErrors } from "./errors.ts";

/** How many of a kind an account may have, by default ("IAM and AWS STS quotas"), and as errors call it. */
export const ACCOUNT_QUOTAS = {
  group: { name: "GroupsPerAccount", value: 300 },
  "instance-profile": { name: "InstanceProfilesPerAccount", value: 1000 },
  // As many as users.
  "mfa-device": { name: "VirtualMFADevicesPerAccount", value: 5000 },
  "oidc-provider": { name: "OpenIdConnectProvidersPerAccount", value: 100 },
  policy: { name: "PoliciesPerAccount", value: 1500 },
  role: { name: "RolesPerAccount", value: 1000 },
  "saml-provider": { name: "SAMLProvidersPerAccount", value: 100 },
  "server-certificate": { name: "ServerCertificatesPerAccount", value: 20 },
  user: { name: "UsersPerAccount", value: 5000 },
} as const;

/**
 * Demands room for one more. What is made at the same moment may go beyond a quota by as many; what is there already is
 * the commit's to tell.
 * @throws AwsError LimitExceeded
 */
export function requireRoom(documents: Documents, key: DocumentKey): void {
  const [account, region, kind] = key;
  if (!isCounted(kind)) throw new Error(`IAM has no quota for ${kind}`);
  const { name, value } = ACCOUNT_QUOTAS[kind];
  if (documents.get(key) !== undefined) return;
  let found = 0;
  for (const _ of documents.list([account, region, kind])) found++;
  if (found >= value) throw iamErrors.quota(name, value);
}

function isCounted(kind: string): kind is keyof typeof ACCOUNT_QUOTAS {
  return Object.hasOwn(ACCOUNT_QUOTAS, kind);
}
