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
  accessDenied: (arn: string, action: string, resource: string) =>
    new AwsError(
      "AccessDenied",
      `User: ${arn} is not authorized to perform: ${action} on resource: ${resource}`,
      {
        status: 403,
      },
    ),
  malformedPolicy: (message: string) => new AwsError("MalformedPolicyDocument", message),
  policyMissing: (arn: string) => new AwsError("InvalidParameterValue", `The policy ${arn} does not exist.`),
  packedTooLarge: (percent: number) =>
    new AwsError(
      "PackedPolicyTooLarge",
      `Packed size of session tags and session policies consumes ${percent}% of allotted space.`,
    ),
  keyMissing: (id: string) =>
    new AwsError("InvalidClientTokenId", `The access key ${id} does not name an account.`, { status: 403 }),
} as const;

function parameter(message: string): AwsError {
  return new AwsError("InvalidParameterValue", message);
}
