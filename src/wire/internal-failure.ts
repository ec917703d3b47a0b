import { AwsError } from "#core/errors";

/** What a service calls an error of its own making; clients of each retry on its name. */
const names: Readonly<Record<string, { code: string; members?: Readonly<Record<string, unknown>> }>> = {
  lambda: { code: "ServiceException", members: { Type: "Service" } },
  logs: { code: "ServiceUnavailableException" },
  events: { code: "InternalException" },
  s3: { code: "InternalError" },
  ec2: { code: "InternalError" },
  iam: { code: "ServiceFailureException" },
  accessanalyzer: { code: "InternalServerException" },
};

/** The error that a client sees where something unexpected went wrong; the cause is for the log alone. */
export function internalFailure(service: string | undefined, cause: unknown): AwsError {
  const { code, members } = names[service ?? ""] ?? { code: "InternalFailure" };
  return new AwsError(
    code,
    "An internal error occurred. The platform's log has the cause under this request id.",
    {
      status: 500,
      cause,
      ...(members === undefined ? {} : { members }),
    },
  );
}

/** An operation that AWS has and this platform has not. */
export function notImplemented(service: string, operation: string): AwsError {
  return new AwsError(
    // S3's schema has no exceptions of that name; its clients know this code.
    service === "s3" ? "NotImplemented" : "NotImplementedException",
    `The operation ${service}:${operation} is not implemented here.`,
    {
      status: 501,
    },
  );
}
