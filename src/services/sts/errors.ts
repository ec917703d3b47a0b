import { AwsError } from "#core/errors";

/** Errors of STS as AWS words them; recorded where a test says so, else as its users quote them. */
export const stsErrors = {
  invalidArn: (arn: string) => new AwsError("ValidationError", `${arn} is invalid`),
  durationOverRole: () =>
    new AwsError(
      "ValidationError",
      "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.",
    ),
  durationOfChain: () =>
    new AwsError(
      "ValidationError",
      "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining",
    ),
  duplicateTags: () => parameter("Duplicate tag keys found. Please note that Tag keys are case insensitive."),
  transitiveNotGiven: () =>
    parameter("The specified transitive tag key must be included in the requested tags."),
  transitiveConflict: () =>
    parameter(
      "One of the specified transitive tag keys can't be set because it conflicts with a transitive tag key from the calling session.",
    ),
  sourceIdentityChanged: () =>
    new AwsError("AccessDenied", "The source identity of a session cannot be changed.", { status: 403 }),
  noSessions: (operation: string) =>
    new AwsError("AccessDenied", `Cannot call ${operation} with session credentials`, { status: 403 }),
  /** AWS's words, as programs that call it compare them, the last space included. */
  mfaCode: () => mfa(" with invalid MFA one time pass code. "),
  mfaDevice: () =>
    mfa(
      ", unable to validate MFA code.  Please verify your MFA serial number is valid and associated with this user.",
    ),
  mfaPartMissing: () => mfa(", must provide both MFA serial number and one time pass code."),
  rootAssumes: () =>
    new AwsError("AccessDenied", "Roles may not be assumed by root accounts.", { status: 403 }),
  accessDenied: (arn: string, action: string, resource: string) =>
    new AwsError(
      "AccessDenied",
      `User: ${arn} is not authorized to perform: ${action} on resource: ${resource}`,
      {
        status: 403,
      },
    ),
  notAuthorised: (action: string) =>
    new AwsError("AccessDenied", `Not authorized to perform ${action}`, { status: 403 }),
  notAToken: () =>
    invalidToken(
      "The ID Token provided is not a valid JWT. (You may see this error if you sent an Access Token)",
    ),
  claimMissing: (name: string) => invalidToken(`Missing a required claim: ${name}`),
  providerMissing: (issuer: string) =>
    invalidToken(`No OpenIDConnect provider found in your account for ${issuer}`),
  audience: () => invalidToken("Incorrect token audience"),
  noKey: () =>
    invalidToken(
      "Couldn't retrieve verification key from your identity provider, " +
        "please reference AssumeRoleWithWebIdentity documentation for requirements",
    ),
  signature: () => invalidToken("The provided token's signature does not match its provider's key"),
  algorithm: (name: string) => invalidToken(`Tokens signed with ${name} are not supported`),
  tokenEarly: () => invalidToken("Token is not valid yet"),
  tokenExpired: (now: number, expiration: number) =>
    new AwsError(
      "ExpiredTokenException",
      `Token expired: current date/time ${now} must be before the expiration date/time ${expiration}`,
    ),
  providerUnreachable: () =>
    new AwsError(
      "IDPCommunicationError",
      "The identity provider could not be reached, or did not answer in time; please try again",
    ),
  noAccessTokens: () =>
    new AwsError(
      "ValidationError",
      "ProviderId is for OAuth 2.0 access tokens, which are not taken here: send an OpenID Connect ID token",
    ),
  signingAlgorithm: (name: string) =>
    new AwsError(
      "ValidationError",
      `1 validation error detected: Value '${name}' at 'signingAlgorithm' failed to satisfy constraint: ` +
        "Member must satisfy enum value set: [RS256, ES384]",
    ),
  noOriginIdentity: () =>
    new AwsError(
      "ValidationError",
      "SubjectMode OriginIdentity and Scope need the trusted identity propagation context of a session, which none has here.",
    ),
  federationDisabled: () =>
    new AwsError(
      "OutboundWebIdentityFederationDisabledException",
      "Outbound web identity federation is not enabled for this account.",
      { status: 403 },
    ),
  longerThanSession: () =>
    new AwsError(
      "SessionDurationEscalationException",
      "The requested token duration would extend the session beyond its original expiration time.",
      { status: 403 },
    ),
  malformedPolicy: (message: string) => new AwsError("MalformedPolicyDocument", message),
  policyMissing: (arn: string) => new AwsError("InvalidParameterValue", `The policy ${arn} does not exist.`),
  packedTooLarge: (percent: number) =>
    new AwsError(
      "PackedPolicyTooLarge",
      `Packed size of session tags and session policies consumes ${percent}% of allotted space.`,
    ),
  notAMessage: () => new AwsError("InvalidAuthorizationMessageException", "Message is not valid"),
  keyMissing: (id: string) =>
    new AwsError("InvalidClientTokenId", `The access key ${id} does not name an account.`, { status: 403 }),
} as const;

function mfa(how: string): AwsError {
  return new AwsError("AccessDenied", `MultiFactorAuthentication failed${how}`, { status: 403 });
}

function parameter(message: string): AwsError {
  return new AwsError("InvalidParameterValue", message);
}

function invalidToken(message: string): AwsError {
  return new AwsError("InvalidIdentityToken", message);
}
