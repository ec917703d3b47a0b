import { AwsError } from "#core/errors";

export function shuttingDown(): AwsError {
  return serviceException("The platform is shutting down.");
}

/** The host, not the function, is at fault: no memory or process left, or an interpreter that is gone. */
export function cannotStart(cause: Error): AwsError {
  return serviceException("The execution environment could not be started.", cause);
}

/** Lambda's own failure (API reference, Invoke: ServiceException). */
function serviceException(message: string, cause?: Error): AwsError {
  return new AwsError("ServiceException", message, {
    status: 500,
    members: { Type: "Service", Message: message },
    cause,
  });
}
