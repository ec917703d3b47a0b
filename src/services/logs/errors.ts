import { AwsError } from "#core/errors";

/** Errors of CloudWatch Logs as AWS words them. */
export const logsErrors = {
  groupExists: () => new AwsError("ResourceAlreadyExistsException", "The specified log group already exists"),
  groupMissing: () => new AwsError("ResourceNotFoundException", "The specified log group does not exist."),
  streamExists: () =>
    new AwsError("ResourceAlreadyExistsException", "The specified log stream already exists"),
  streamMissing: () => new AwsError("ResourceNotFoundException", "The specified log stream does not exist."),
  resourceMissing: () => new AwsError("ResourceNotFoundException", "The specified resource does not exist."),
  nameTooLong: () =>
    invalid("Invalid LogGroup or LogStream, both must have length less than or equal to 512."),
  nameAndIdentifier: () =>
    new AwsError("ValidationException", "LogGroup name and LogGroup ARN are mutually exclusive parameters."),
  noGroup: () => invalid("Either logGroupName or logGroupIdentifier must be specified."),
  prefixAndPattern: () =>
    invalid("LogGroup name prefix and LogGroup name pattern are mutually exclusive parameters."),
  prefixAndOrder: () => invalid("Cannot order by LastEventTime with a logStreamNamePrefix."),
  prefixAndNames: () => invalid("LogStreamNamePrefix and LogStreamNames are mutually exclusive parameters."),
  invalidToken: () => invalid("The specified nextToken is invalid."),
  wrongOrder: () => invalid("Log events in a single PutLogEvents request must be in chronological order."),
  spanTooLong: () =>
    invalid("The batch of log events in a single PutLogEvents request cannot span more than 24 hours."),
  eventTooLarge: (bytes: number, limit: number) =>
    invalid(`Log event too large: ${bytes} bytes exceeds limit of ${limit}`),
  batchTooLarge: (bytes: number, limit: number) =>
    invalid(`Upload too large: ${bytes} bytes exceeds limit of ${limit}`),
  retention: (value: number, allowed: readonly number[]) =>
    invalid(
      `1 validation error detected: Value '${value}' at 'retentionInDays' failed to satisfy constraint: ` +
        `Member must satisfy enum value set: [${allowed.join(", ")}]`,
    ),
  tooManyTags: () =>
    new AwsError("TooManyTagsException", "The log group has reached the maximum number of tags."),
  pattern: (message: string) => invalid(message),
  /** Recorded (test_put_subscription_filter_limit_exceeded). */
  limit: () => new AwsError("LimitExceededException", "Resource limit exceeded."),
  metricFilterMissing: () =>
    new AwsError("ResourceNotFoundException", "The specified metric filter does not exist."),
  metricNameAndNamespace: () => invalid("metricName and metricNamespace must be specified together."),
  tooManyDimensions: (limit: number) => invalid(`A metric may have ${limit} dimensions at most.`),
  defaultAndDimensions: () =>
    invalid("Invalid metric transformation: dimensions and default value are mutually exclusive properties."),
  metricValue: () =>
    invalid("Invalid metric transformation: metricValue must be a number or a selector that begins with $."),
  subscriptionMissing: () =>
    new AwsError("ResourceNotFoundException", "The specified subscription filter does not exist."),
  /** AWS's wording, as its users quote it. */
  functionRefused: () =>
    invalid(
      "Could not execute the lambda function. Make sure you have given CloudWatch Logs permission to execute your function.",
    ),
  /** What AWS answers where a stream is not there, as its users quote it; undefined for other services' resources. */
  undeliverable: (service: string | undefined) =>
    service === "kinesis" || service === "firehose"
      ? invalid(
          service === "kinesis"
            ? "Could not deliver test message to specified Kinesis stream. Check if the given kinesis stream is in ACTIVE state."
            : "Could not deliver test message to specified Firehose stream. Check if the given Firehose stream is in ACTIVE state.",
        )
      : undefined,
  destinationUnknown: (arn: string) =>
    invalid(`destinationArn ${arn} is no function, no stream of Kinesis or Firehose, and no destination.`),
  targetUnknown: (arn: string) => invalid(`targetArn ${arn} is no stream of Kinesis or Firehose.`),
  destinationMissing: () =>
    new AwsError("ResourceNotFoundException", "The specified destination does not exist."),
  policyParts: () => invalid("policyDocument, and either policyName or resourceArn, are required."),
  policyNameAndArn: () => invalid("policyName and resourceArn are mutually exclusive parameters."),
  policyResource: () => invalid("resourceArn must be the ARN of a log group."),
  policyScope: () => invalid("Only policies with policyScope RESOURCE have a resourceArn."),
  revisionRequired: () => invalid("expectedRevisionId is required where resourceArn is specified."),
  revisionWithoutArn: () => invalid("expectedRevisionId can be specified only with resourceArn."),
  /** The API reference's words for the exception. */
  policyChanged: () =>
    new AwsError(
      "OperationAbortedException",
      "Multiple concurrent requests to update the same resource were in conflict.",
    ),
  policy: (problem: string) => invalid(`The policy document is not valid: ${problem}`),
  policyMissing: (name: string) =>
    new AwsError("ResourceNotFoundException", `Policy with name [${name}] does not exist`),
  kmsResource: () => invalid("Exactly one of logGroupName and resourceIdentifier must be specified."),
  kmsKey: (arn: string) =>
    invalid(`The specified KMS key does not exist or is not allowed to be used with LogGroup '${arn}'`),
  tailNamesAndPrefixes: () =>
    invalid("logStreamNames and logStreamNamePrefixes are mutually exclusive parameters."),
  tailStreamsOfGroups: () =>
    invalid("Log streams can be named only where exactly one log group is specified."),
  tailGroupArn: () => invalid("Every log group must be specified by its ARN."),
  tailClass: () =>
    new AwsError(
      "InvalidOperationException",
      "Live Tail is supported only for log groups of the STANDARD class.",
    ),
  /** Thrown into a stream that has begun. */
  sessionTimeout: () =>
    new AwsError("SessionTimeoutException", "The Live Tail session ended after three hours."),
  sessionStreaming: () =>
    new AwsError("SessionStreamingException", "The Live Tail session was ended by the service."),
  /** Recorded (test_create_export_task_bucket_not_found). */
  bucketMissing: () => invalid("The given bucket does not exist. Please make sure the bucket is valid."),
  /** AWS's wording, as its users quote it. */
  bucketCall: (operation: "GetBucketAcl" | "PutObject") =>
    invalid(
      `${operation} call on the given bucket failed. Please check if CloudWatch Logs has been granted permission to perform this operation.`,
    ),
  exportRange: () =>
    invalid("The export must end after its start, and not before the creation of the log group."),
  exportMissing: () => new AwsError("ResourceNotFoundException", "The specified export task does not exist."),
  exportOver: () =>
    new AwsError("InvalidOperationException", "The specified export task is not PENDING or RUNNING."),
  queryGroups: () =>
    invalid(
      "Exactly one of the following must be specified: logGroupName, logGroupNames or logGroupIdentifiers.",
    ),
  queryGroupsTooMany: (limit: number) => invalid(`A query may look at ${limit} log groups at most.`),
  queryRange: () => invalid("The end of the time range is before its start."),
  queryLanguage: (language: string) => invalid(`${language} is not available yet on this platform; CWLI is.`),
  /** Recorded (test_start_query_log_group_not_found), without what AWS adds of its own client. */
  queryGroupMissing: (group: string, account: string) =>
    new AwsError(
      "ResourceNotFoundException",
      `Log group '${group}' does not exist for account ID '${account}'`,
    ),
  malformedQuery: (message: string, position: number) =>
    new AwsError("MalformedQueryException", `${message} at position ${position}`, {
      members: {
        queryCompileError: {
          location: { startCharOffset: position, endCharOffset: position + 1 },
          message,
        },
      },
    }),
  queryMissing: () => new AwsError("ResourceNotFoundException", "The specified query does not exist."),
  queryEnded: () => invalid("Query is not in a cancellable state."),
  definitionMissing: () =>
    new AwsError("ResourceNotFoundException", "The specified query definition does not exist."),
  pointer: () => invalid("The log record pointer is invalid."),
  /** Own wording: what is not built is refused, never ignored. */
  notAvailable: (member: string) => invalid(`${member} is not available yet on this platform.`),
  protected: () =>
    new AwsError(
      "ValidationException",
      "The log group cannot be deleted while deletion protection is enabled.",
    ),
} as const;

function invalid(message: string): AwsError {
  return new AwsError("InvalidParameterException", message);
}
