import { AwsError } from "#core/errors";

/** Errors of CloudWatch, by their shapes' names; protocols that know them by another code write that. */
export const cloudwatchErrors = {
  exclusive: (one: string, other: string) =>
    combination(`The parameters ${one} and ${other} are mutually exclusive and you have specified both.`),
  combination,
  unequalSizes: (values: string, counts: string) =>
    value(`The parameters ${values} and ${counts} must be of the same size.`),
  noValue: (datum: string) =>
    missing(
      `At least one of the parameters ${datum}.Value, ${datum}.Values, ${datum}.StatisticValues must be specified.`,
    ),
  required: (parameter: string) => missing(`The parameter ${parameter} is required.`),
  value,
  invalid: (parameter: string, given: string | number) =>
    value(`The value ${given} for parameter ${parameter} is invalid.`),
  tooMany: (parameter: string, limit: number) =>
    value(`The collection ${parameter} must not have a size greater than ${limit}.`),
  tooOld: (parameter: string) =>
    value(`The parameter ${parameter} must specify a time within the past two weeks.`),
  tooNew: (parameter: string) =>
    value(`The parameter ${parameter} must specify a time no more than two hours in the future.`),
  badSpan: () => value("The parameter StartTime must be less than the parameter EndTime."),
  tooManyDatapoints: (count: number, limit: number) =>
    combination(
      `You have requested up to ${count} datapoints, which exceeds the limit of ${limit}. You may reduce the ` +
        "datapoints requested by increasing Period, or decreasing the time range.",
    ),
  noStatistic: () => missing("Must specify either Statistics or ExtendedStatistics."),
  validation: (message: string) => new AwsError("ValidationException", message),
  nextToken: () => new AwsError("InvalidNextToken", "The specified nextToken is invalid."),
  throttled: () => new AwsError("ThrottlingException", "Rate exceeded"),
  /** Recorded: without any words. */
  noAlarm: () => new AwsError("ResourceNotFound", "", { status: 404 }),
  resourceMissing: (message: string) => new AwsError("ResourceNotFoundException", message, { status: 404 }),
  limit: (message: string) => new AwsError("LimitExceededFault", message),
} as const;

function combination(message: string): AwsError {
  return new AwsError("InvalidParameterCombinationException", message);
}

function value(message: string): AwsError {
  return new AwsError("InvalidParameterValueException", message);
}

function missing(message: string): AwsError {
  return new AwsError("MissingRequiredParameterException", message);
}
