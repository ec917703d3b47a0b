/** Codes of the request framework that query clients know by another name (recorded of cloudwatch, cloudformation and sqs). */
export const queryCodes: Readonly<Record<string, string>> = {
  ValidationException: "ValidationError",
  InvalidParameterValueException: "InvalidParameterValue",
  MissingRequiredParameterException: "MissingParameter",
};
