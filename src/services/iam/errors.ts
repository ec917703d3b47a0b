import { AwsError } from "#core/errors";

/** Errors of IAM as AWS words them, with the codes and statuses of its query protocol. */
export const iamErrors = {
  roleMissing: (name: string) => missing(`The role with name ${name} cannot be found.`),
  roleExists: (name: string) => exists(`Role with name ${name} already exists.`),
  userMissing: (name: string) => missing(`The user with name ${name} cannot be found.`),
  userExists: (name: string) => exists(`User with name ${name} already exists.`),
  groupMissing: (name: string) => missing(`The group with name ${name} cannot be found.`),
  groupExists: (name: string) => exists(`Group with name ${name} already exists.`),
  inlineMissing: (kind: string, name: string) =>
    missing(`The ${kind} policy with name ${name} cannot be found.`),
  entityMissing: (arn: string) => missing(`ARN ${arn} cannot be found.`),
  noOrganization: () =>
    new AwsError(
      "OrganizationNotFoundException",
      "The request was rejected because no organization is associated with your account.",
    ),
  federationEnabled: () =>
    new AwsError("FeatureEnabled", "Outbound web identity federation is already enabled for this account.", {
      status: 409,
    }),
  federationDisabled: () =>
    new AwsError("FeatureDisabled", "Outbound web identity federation is not enabled for this account.", {
      status: 404,
    }),
  jobMissing: (id: string) => missing(`The job with id ${id} cannot be found.`),
  policyMissing: (arn: string) => missing(`Policy ${arn} was not found.`),
  policyNotAttachable: (arn: string) => missing(`Policy ${arn} does not exist or is not attachable.`),
  policyExists: (name: string) =>
    exists(`A policy called ${name} already exists. Duplicate names are not allowed.`),
  versionMissing: (arn: string, version: string) =>
    missing(`Policy ${arn} version ${version} does not exist or is not attachable.`),
  invalidArn: () => new AwsError("ValidationError", "Invalid ARN:  Could not be parsed!"),
  invalidMarker: () => new AwsError("ValidationError", "Invalid Marker."),
  detachFirst: () => conflict("Cannot delete entity, must detach all policies first."),
  deleteInlineFirst: () => conflict("Cannot delete entity, must delete policies first."),
  removeFromGroupsFirst: () => conflict("Cannot delete entity, must remove users from group first."),
  removeUsersFirst: () => conflict("Cannot delete entity, must remove users from group first."),
  deleteKeysFirst: () => conflict("Cannot delete entity, must delete access keys first."),
  deleteLoginProfileFirst: () => conflict("Cannot delete entity, must delete login profile first."),
  deleteMfaFirst: () => conflict("Cannot delete entity, must delete MFA device first."),
  removeReferencedFirst: () => conflict("Cannot delete entity, must remove referenced objects first."),
  removeRolesFirst: () => conflict("Cannot delete entity, must remove roles from instance profile first."),
  aliasMissing: (alias: string) => missing(`The account alias ${alias} does not exist.`),
  passwordPolicyMissing: (account: string) =>
    missing(`The Password Policy with domain name ${account} cannot be found.`),
  instanceProfileExists: (name: string) => exists(`Instance Profile ${name} already exists.`),
  instanceProfileMissing: (name: string) => missing(`Instance Profile ${name} cannot be found.`),
  loginProfileExists: (name: string) => exists(`Login Profile for user ${name} already exists.`),
  loginProfileMissing: (name: string) => missing(`Login Profile for User ${name} cannot be found.`),
  serviceCredentialMissing: (id: string) => missing(`No such credential ${id} exists`),
  invalidIssuer: () => new AwsError("ValidationError", "Invalid Open ID Connect Provider URL"),
  providerExists: (url: string) => exists(`Provider with url ${url} already exists.`),
  providerMissing: (arn: string) => missing(`OpenIDConnect Provider not found for arn ${arn}`),
  samlProviderExists: (name: string) => exists(`Provider of type SAML and Name ${name} already exists.`),
  samlProviderMissing: (arn: string) => missing(`Manifest not found for arn ${arn}`),
  samlMetadata: () => new AwsError("InvalidInput", "Could not parse metadata"),
  samlPrivateKey: () => new AwsError("InvalidInput", "Invalid Private Key."),
  samlKeyNeeded: () =>
    new AwsError("InvalidInput", "A private key is needed to require encrypted assertions."),
  samlKeyMissing: (id: string) => missing(`The private key with id ${id} cannot be found.`),
  deviceExists: () => exists("MFADevice entity at the same path and name already exists."),
  deviceMissing: (serial: string) => missing(`MFA Device with serial number ${serial} does not exist.`),
  sessionWithoutMfa: () =>
    new AwsError("InvalidClientTokenId", "The security token included in the request is invalid", {
      status: 403,
    }),
  deviceInUse: () => conflict("MFA VirtualDevice in use. Must deactivate first."),
  authenticationCode: () =>
    new AwsError("InvalidAuthenticationCode", "Authentication code for device is not valid.", {
      status: 403,
    }),
  certificateExists: (name: string) => exists(`The Server Certificate with name ${name} already exists.`),
  certificateMissing: (name: string) => missing(`The Server Certificate with name ${name} cannot be found.`),
  malformedCertificate: () =>
    new AwsError(
      "MalformedCertificate",
      "Unable to parse certificate. Please ensure the certificate is in PEM format.",
    ),
  malformedPrivateKey: () => new AwsError("MalformedCertificate", "Invalid Private Key."),
  keyPairMismatch: () => new AwsError("KeyPairMismatch", "The certificate and the private key do not match."),
  sshKeyMissing: (id: string) => missing(`The Public Key with id ${id} cannot be found.`),
  sshKeyExists: (user: string) =>
    new AwsError("DuplicateSSHPublicKey", `The SSH public key is already associated with the user ${user}.`),
  sshKeyInvalid: () => new AwsError("InvalidPublicKey", "The public key is malformed or otherwise invalid."),
  sshEncoding: () =>
    new AwsError(
      "UnrecognizedPublicKeyEncoding",
      "The public key encoding format is unsupported or unrecognized.",
    ),
  signingCertificateMissing: (id: string) => missing(`The Certificate with id ${id} cannot be found.`),
  signingCertificateExists: (id: string) =>
    new AwsError("DuplicateCertificate", `The certificate is already associated with the id ${id}.`, {
      status: 409,
    }),
  notAUser: () => new AwsError("InvalidUserType", "Only IAM Users can change their own password"),
  oldPassword: () => new AwsError("AccessDenied", "The old password was incorrect.", { status: 403 }),
  weakPassword: (rule: string) => new AwsError("PasswordPolicyViolation", `Password should have ${rule}`),
  reportMissing: () => new AwsError("ReportNotPresent", "No report exists.", { status: 410 }),
  reportExpired: () => new AwsError("ReportExpired", "The report has expired.", { status: 410 }),
  suffixNotAllowed: (service: string) =>
    new AwsError("InvalidInput", `Custom suffix is not allowed for ${service}`),
  serviceUnknown: (service: string) =>
    new AwsError("InvalidInput", `Service-linked roles of ${service} are not known here.`),
  serviceRoleTaken: (name: string) =>
    new AwsError(
      "InvalidInput",
      `Service role name ${name} has been taken in this account, please try a different suffix.`,
    ),
  keyMissing: (id: string) => missing(`The Access Key with id ${id} cannot be found.`),
  boundaryMissing: (kind: string, name: string) =>
    missing(`No permissions boundary is attached to ${kind} ${name}.`),
  userNameNeeded: () =>
    new AwsError("ValidationError", "Must specify userName when calling with non-User credentials"),
  policyAttached: () => conflict("Cannot delete a policy attached to entities."),
  policyHasVersions: () =>
    conflict(
      "This policy has more than one version. Before you delete a policy, you must delete the policy's versions. " +
        "The default version is deleted with the policy.",
    ),
  defaultVersion: () => conflict("Cannot delete the default version of a policy."),
  managedByAws: (arn: string) =>
    new AwsError("AccessDenied", `Policy ${arn} is managed by AWS.`, { status: 403 }),
  tooManyVersions: () =>
    limit(
      "A managed policy can have up to 5 versions. Before you create a new version, you must delete an existing version.",
    ),
  quota: (name: string, value: number) => limit(`Cannot exceed quota for ${name}: ${value}`),
  inlineSize: (value: number, kind: string, name: string) =>
    limit(`Maximum policy size of ${value} bytes exceeded for ${kind} ${name}`),
  duplicateTags: () =>
    new AwsError("InvalidInput", "Duplicate tag keys found. Please note that Tag keys are case insensitive."),
  invalidPolicy: (message: string) => new AwsError("InvalidInput", `Invalid input policy: ${message}`),
  invalidEntityArn: (arn: string) => new AwsError("InvalidInput", `Invalid Entity Arn: ${arn}`),
  malformed: (message: string) => new AwsError("MalformedPolicyDocument", message),
} as const;

function missing(message: string): AwsError {
  return new AwsError("NoSuchEntity", message, { status: 404 });
}

function exists(message: string): AwsError {
  return new AwsError("EntityAlreadyExists", message, { status: 409 });
}

function conflict(message: string): AwsError {
  return new AwsError("DeleteConflict", message, { status: 409 });
}

function limit(message: string): AwsError {
  return new AwsError("LimitExceeded", message, { status: 409 });
}
