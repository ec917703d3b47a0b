import { AwsError } from "#core/errors";

/** Errors of SNS as AWS words them, by the names of the schema's shapes. */
export const snsErrors = {
  parameter: (what: string, reason?: string) =>
    invalid(
      reason === undefined ? `Invalid parameter: ${what}` : `Invalid parameter: ${what} Reason: ${reason}`,
    ),
  /** Those few that do not begin with "Invalid parameter". */
  invalid,
  attributeValue: (message: string) => new AwsError("InvalidParameterValueException", message),
  topicMissing: () => missing("Topic does not exist"),
  subscriptionMissing: () => missing("Subscription does not exist"),
  applicationMissing: () => missing("PlatformApplication does not exist"),
  endpointMissing: () => missing("Endpoint does not exist"),
  resourceMissing: () =>
    new AwsError("ResourceNotFoundException", "Resource does not exist", { status: 404 }),
  unsubscribeSigned: () =>
    new AwsError("AuthorizationErrorException", "The subscription demands authenticated unsubscription", {
      status: 403,
    }),
  endpointDisabled: () => new AwsError("EndpointDisabledException", "Endpoint is disabled"),
  applicationDisabled: () =>
    new AwsError("PlatformApplicationDisabledException", "Platform application is disabled"),
  optedOut: (number: string) =>
    new AwsError("OptedOutException", `Phone number ${number} is opted out of receiving SMS messages`),
  emptyBatch: () =>
    new AwsError("EmptyBatchRequestException", "The batch request doesn't contain any entries."),
  batchTooLarge: () =>
    new AwsError(
      "TooManyEntriesInBatchRequestException",
      "The batch request contains more entries than permissible.",
    ),
  batchIdsEqual: () =>
    new AwsError(
      "BatchEntryIdsNotDistinctException",
      "Two or more batch entries in the request have the same Id.",
    ),
  batchId: () =>
    new AwsError(
      "InvalidBatchEntryIdException",
      "The Id of a batch entry in a batch request doesn't abide by the specification.",
    ),
  batchTooLong: () =>
    new AwsError(
      "BatchRequestTooLongException",
      "The length of all the messages put together is more than the limit.",
    ),
  filterPolicies: () =>
    new AwsError("FilterPolicyLimitExceededException", "Filter policy limit exceeded for the topic", {
      status: 403,
    }),
  subscriptions: () =>
    new AwsError("SubscriptionLimitExceededException", "Subscription limit exceeded for the topic", {
      status: 403,
    }),
  tags: () =>
    new AwsError(
      "TagLimitExceededException",
      "Could not complete request: tag quota of per resource exceeded",
    ),
  sandboxNumberMissing: () =>
    new AwsError("ResourceNotFoundException", "Phone number not found", { status: 404 }),
  verification: () => new AwsError("VerificationException", "The one-time password is wrong"),
  notBuilt: (what: string) => invalid(`Invalid parameter: ${what} is not built into this platform`),
} as const;

function invalid(message: string): AwsError {
  return new AwsError("InvalidParameterException", message);
}

function missing(message: string): AwsError {
  return new AwsError("NotFoundException", message, { status: 404 });
}
