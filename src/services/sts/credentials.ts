import type { SessionCredentials } from "#wire/auth/sessions";

/** Temporary credentials as responses show them. */
export function describeCredentials({
  accessKeyId,
  secretAccessKey,
  sessionToken,
  expiration,
}: SessionCredentials) {
  return {
    AccessKeyId: accessKeyId,
    SecretAccessKey: secretAccessKey,
    SessionToken: sessionToken,
    // Whole seconds, as AWS has them.
    Expiration: new Date(Math.floor(expiration / 1000) * 1000),
  };
}
