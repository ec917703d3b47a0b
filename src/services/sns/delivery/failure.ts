import { AwsError } from "#core/errors";

/** Why an endpoint did not take a message. A permanent failure is not tried again. */
export class DeliveryFailure extends Error {
  readonly permanent: boolean;

  constructor(message: string, options: { readonly permanent: boolean; readonly cause?: unknown }) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = "DeliveryFailure";
    this.permanent = options.permanent;
  }
}

/** Refusals that are the moment's, though they come as the client's fault. */
const THROTTLED = /Throttl|TooManyRequests|RequestLimitExceeded/u;

/**
 * What another service answered: "client-side errors are not retried", server-side errors are (developer guide, "Amazon
 * SNS message delivery retries").
 */
export function failureOf(error: unknown): DeliveryFailure {
  if (error instanceof DeliveryFailure) return error;
  if (!(error instanceof AwsError))
    return new DeliveryFailure(String(error), { permanent: false, cause: error });
  const passing = error.fault === "server" || error.status === 429 || THROTTLED.test(error.code);
  return new DeliveryFailure(`${error.code}: ${error.message}`, { permanent: !passing, cause: error });
}
