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
  protected: () =>
    new AwsError(
      "ValidationException",
      "The log group cannot be deleted while deletion protection is enabled.",
    ),
} as const;

function invalid(message: string): AwsError {
  return new AwsError("InvalidParameterException", message);
}
