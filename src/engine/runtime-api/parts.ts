import type { Clock } from "#core/clock";
import type { Ids } from "#core/ids";
import type { Answer, ChannelListener } from "../environment/channel.ts";
import type { ApiOptions } from "../environment/contract.ts";
import type { ApiParts } from "./api.ts";
import { Extensions } from "./extensions.ts";
import { Runtime } from "./runtime.ts";
import type { StreamListener } from "./runtime.ts";
import { TelemetryHub } from "./telemetry/hub.ts";
import type { HubOptions } from "./telemetry/hub.ts";

export interface PartsOptions {
  readonly clock: Clock;
  readonly ids: Pick<Ids, "uuid">;
  readonly function: ApiOptions;
  /** Whether its runtime speaks HTTP. */
  readonly http: boolean;
  readonly connect: HubOptions["connect"];
  /** Told what a runtime says. */
  readonly guest: ChannelListener;
  /** Extensions have got on: a phase may be over. */
  readonly progressed: () => void;
  /** An extension reported an error and is to exit. */
  readonly failed: (errorType: string, message: string) => void;
}

/** The HTTP API of one environment, which has become a function's. */
export function apiParts(options: PartsOptions): ApiParts {
  const { clock, ids, function: own, http, guest } = options;
  const extensions = new Extensions(
    { external: own.extensions, identity: own.identity, ids, awaitInternal: http },
    {
      progressed: options.progressed,
      // By the end of the init phase all of them are told of; an internal one may have come no further by then.
      settled: (extension) => {
        if (!extensions.open) own.onExtension(extension);
      },
      failed: (_extension, errorType, told) => options.failed(errorType, told),
    },
  );
  const telemetry = new TelemetryHub({
    clock,
    connect: options.connect,
    structured: own.structuredLog,
    onSubscribed: own.onSubscribed,
  });
  const runtime = new Runtime({
    initialised: () => guest.initialised(),
    initFailed: (error) => guest.initFailed(error),
    answered: (requestId, answer) => guest.answered(requestId, answer, false),
    waiting: () => guest.waiting(),
    stream: streamTo(guest),
  });
  let told = false;
  const onError = (error: unknown): void => {
    // Once an environment: a guest that has found how to cause it could fill the platform's log.
    if (!told) own.onError(error);
    told = true;
  };
  return {
    runtime: http ? runtime : undefined,
    extensions,
    telemetry,
    traceDaemon: own.traceDaemon,
    onError,
  };
}

function streamTo(guest: ChannelListener): StreamListener {
  let bytes = 0;
  return {
    began(requestId, contentType) {
      bytes = 0;
      guest.responseBegan(requestId, contentType);
    },
    chunk(chunk) {
      bytes += chunk.length;
      return guest.responseChunk(chunk);
    },
    ended(requestId, error) {
      const answer: Answer =
        error === undefined
          ? { kind: "streamed", bytes, maxRssKb: 0 }
          : { kind: "error", payload: error, maxRssKb: 0 };
      guest.answered(requestId, answer, false);
    },
  };
}
