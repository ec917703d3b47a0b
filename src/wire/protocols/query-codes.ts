/** Codes of the request framework that query clients know by another name (recorded of cloudwatch and cloudformation). */
export const queryCodes: Readonly<Record<string, string>> = { ValidationException: "ValidationError" };
