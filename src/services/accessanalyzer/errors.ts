import { AwsError } from "#core/errors";

/** Errors of Access Analyzer. Its exceptions are the model's; the messages are our own where nothing is recorded. */
export const analyzerErrors = {
  invalid: (message: string) => invalid(message, "fieldValidationFailed"),
  policy: (message: string) => new AwsError("InvalidParameterException", message),
  /** Its model's own words: "The specified entity could not be processed". */
  tooMuch: () =>
    new AwsError("UnprocessableEntityException", "The policy has too much in it to be compared.", {
      status: 422,
    }),
  jobMissing: (id: string) => invalid(`The policy generation ${id} does not exist.`, "other"),
  tokenReused: (id: string) =>
    new AwsError("ConflictException", "The client token was used for another policy generation.", {
      status: 409,
      members: { resourceId: id, resourceType: "PolicyGeneration" },
    }),
  tooManyJobs: (most: number) =>
    new AwsError(
      "ServiceQuotaExceededException",
      `An account may start ${most} policy generations a day at most.`,
      { status: 402, members: { resourceId: "PolicyGeneration", resourceType: "PolicyGeneration" } },
    ),
} as const;

function invalid(message: string, reason: string): AwsError {
  return new AwsError("ValidationException", message, { members: { reason } });
}
