import type * as client from "@aws-sdk/client-cloudwatch-logs";
import { parseArn } from "#core/arn";
import type { Handler, OperationsOf } from "#wire/operation";
import { logsErrors } from "../errors.ts";

type Logs = typeof client;

/**
 * Destinations of subscriptions stand before streams of Kinesis or Firehose, which this platform does not have: none can
 * be made, as in an account where the stream is not there.
 */
export function destinationOperations() {
  const PutDestination: Handler<Logs, "PutDestination"> = ({ targetArn = "" }) => {
    throw logsErrors.undeliverable(parseArn(targetArn)?.service) ?? logsErrors.targetUnknown(targetArn);
  };

  const PutDestinationPolicy: Handler<Logs, "PutDestinationPolicy"> = () => {
    throw logsErrors.destinationMissing();
  };

  const DeleteDestination: Handler<Logs, "DeleteDestination"> = () => {
    throw logsErrors.destinationMissing();
  };

  const DescribeDestinations: Handler<Logs, "DescribeDestinations"> = () => ({ destinations: [] });

  return {
    PutDestination,
    PutDestinationPolicy,
    DeleteDestination,
    DescribeDestinations,
  } satisfies OperationsOf<Logs>;
}
