import { AwsError } from "#core/errors";

/** Errors of X-Ray as AWS words them; what has no recording says so. */
export const xrayErrors = {
  invalid: (message: string) => new AwsError("InvalidRequestException", message),
  /** Own wording. */
  filter: (message: string) =>
    new AwsError("InvalidRequestException", `Invalid filter expression: ${message}`),
  timeRange: () => new AwsError("InvalidRequestException", "EndTime must be after StartTime"),
  timeSpan: (hours: number) =>
    new AwsError("InvalidRequestException", `Time range cannot be longer than ${hours} hours`),
  token: () => new AwsError("InvalidRequestException", "Invalid NextToken"),
  groupMissing: () => new AwsError("InvalidRequestException", "Group not found"),
  groupExists: (name: string) => new AwsError("InvalidRequestException", `Group already exists: ${name}`),
  groupDefault: () => new AwsError("InvalidRequestException", "Cannot modify or delete the default group"),
  groupOneOf: () => new AwsError("InvalidRequestException", "Either GroupName or GroupARN must be provided"),
  tooManyGroups: (most: number) =>
    new AwsError("ThrottledException", `An account may have ${most} groups at most`, { status: 429 }),
  ruleMissing: (name: string) =>
    new AwsError("InvalidRequestException", `Sampling rule does not exist: ${name}`),
  ruleExists: (name: string) =>
    new AwsError("InvalidRequestException", `Sampling rule already exists. RuleName: ${name}`),
  ruleDefault: () =>
    new AwsError("InvalidRequestException", "Cannot modify or delete the default rule this way"),
  ruleOneOf: () => new AwsError("InvalidRequestException", "Either RuleName or RuleARN must be provided"),
  tooManyRules: () =>
    new AwsError("RuleLimitExceededException", "You have reached the maximum number of sampling rules."),
  resourceMissing: (arn: string) =>
    new AwsError("ResourceNotFoundException", `The resource does not exist: ${arn}`, {
      status: 404,
      members: { ResourceName: arn },
    }),
  tooManyTags: (arn: string) =>
    new AwsError("TooManyTagsException", "The resource has too many tags.", {
      members: { ResourceName: arn },
    }),
  insightMissing: (id: string) => new AwsError("InvalidRequestException", `Insight not found: ${id}`),
  malformedPolicy: (message: string) => new AwsError("MalformedPolicyDocumentException", message),
  policyRevision: () =>
    new AwsError(
      "InvalidPolicyRevisionIdException",
      "The policy revision id does not match the latest revision of the policy",
    ),
  policyTooLarge: () =>
    new AwsError("PolicySizeLimitExceededException", "A resource policy may have 5 KB at most"),
  tooManyPolicies: () =>
    new AwsError("PolicyCountLimitExceededException", "An account may have 5 resource policies at most"),
  /** Own wording: what is not built is refused, never ignored. */
  notAvailable: (what: string) =>
    new AwsError("InvalidRequestException", `${what} is not available yet on this platform.`),
} as const;
