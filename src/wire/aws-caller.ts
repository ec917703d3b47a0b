import { AwsError } from "#core/errors";
import { Call } from "./call.ts";
import { internalFailure, notImplemented } from "./internal-failure.ts";
import type { AwsCaller } from "./operation.ts";
import type { PipelineParts } from "./pipeline.ts";
import { handlerTable } from "./services.ts";
import { validateInput } from "./validation/errors.ts";

export interface AwsCallerOptions extends PipelineParts {
  /** The platform's own address, for links in outputs. */
  readonly baseUrl: () => string;
}

/** Calls between services: validated, authorised and handled as over HTTP, without the wire. Rejects with AwsError alone. */
export function createAwsCaller(options: AwsCallerOptions): AwsCaller {
  const { models, services, authorise, ids, clock, onInternalError, baseUrl } = options;
  const handlerOf = handlerTable(services);
  return {
    async call(serviceName, operationName, input, { principal, region, traceHeader, signal }) {
      const handler = handlerOf(serviceName, operationName);
      if (handler === undefined) throw notImplemented(serviceName, operationName);
      const service = models.get(serviceName);
      const operation = service.operations.get(operationName);
      if (operation === undefined) throw notImplemented(serviceName, operationName);
      const requestId = ids.uuid();
      const call = new Call({
        requestId,
        principal,
        region,
        receivedAt: clock.now(),
        baseUrl: baseUrl(),
        headers: traceHeader === undefined ? {} : { "x-amzn-trace-id": traceHeader },
        source: signal === undefined ? neverAborted : { signal },
      });
      try {
        const given = input ?? {};
        validateInput(service, operation, given);
        await authorise(service, operation, given, call);
        return await handler(given, call);
      } catch (error) {
        if (error instanceof AwsError) throw error;
        onInternalError(error, { requestId, service: serviceName, operation: operationName });
        throw internalFailure(serviceName, error);
      }
    },
  };
}

/** Nobody hangs up on a call within the process that gave no signal. */
const neverAborted = {
  get signal(): AbortSignal {
    return new AbortController().signal;
  },
};
