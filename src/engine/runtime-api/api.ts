import type { IncomingMessage, ServerResponse } from "node:http";
import type { Extensions } from "./extensions.ts";
import { ApiError, sendError } from "./reply.ts";
import type { Runtime } from "./runtime.ts";
import type { TraceDaemon } from "./trace-daemon.ts";
import type { TelemetryHub } from "./telemetry/hub.ts";

/** The parts of an environment's HTTP API. */
export interface ApiParts {
  /** Undefined where the runtime speaks the frame protocol. */
  readonly runtime: Runtime | undefined;
  readonly extensions: Extensions;
  readonly telemetry: TelemetryHub;
  /** X-Ray's daemon, which has the same address. */
  readonly traceDaemon: TraceDaemon | undefined;
  /** Told of an error of the platform's own, which is answered with status 500. */
  readonly onError: (error: unknown) => void;
}

type Handler = (
  parts: ApiParts,
  request: IncomingMessage,
  response: ServerResponse,
  id: string,
) => void | Promise<void>;

const ROUTES: Readonly<Record<string, Readonly<Record<string, Handler>>>> = {
  "/2018-06-01/ping": { GET: (_parts, _request, response) => void response.end("pong") },
  "/2018-06-01/runtime/invocation/next": {
    GET: (parts, _request, response) => runtimeOf(parts).next(response),
  },
  "/2018-06-01/runtime/invocation/{id}/response": {
    POST: (parts, request, response, id) => runtimeOf(parts).respond(id, request, response),
  },
  "/2018-06-01/runtime/invocation/{id}/error": {
    POST: (parts, request, response, id) => runtimeOf(parts).fail(id, request, response),
  },
  "/2018-06-01/runtime/init/error": {
    POST: (parts, request, response) => runtimeOf(parts).initFailed(request, response),
  },
  "/2020-01-01/extension/register": {
    POST: ({ extensions }, request, response) => extensions.register(request, response),
  },
  "/2020-01-01/extension/event/next": {
    GET: ({ extensions }, request, response) => extensions.next(request, response),
  },
  "/2020-01-01/extension/init/error": {
    POST: ({ extensions }, request, response) => extensions.fail("Extension.InitError", request, response),
  },
  "/2020-01-01/extension/exit/error": {
    POST: ({ extensions }, request, response) => extensions.fail("Extension.ExitError", request, response),
  },
  "/2020-08-15/logs": {
    PUT: ({ extensions, telemetry }, request, response) =>
      telemetry.subscribe("Logs", extensions.identify(request).name, request, response),
  },
  "/2022-07-01/telemetry": {
    PUT: ({ extensions, telemetry }, request, response) =>
      telemetry.subscribe("Telemetry", extensions.identify(request).name, request, response),
  },
  "/GetSamplingRules": {
    POST: (parts, request, response) => daemonOf(parts).sampling("GetSamplingRules", request, response),
  },
  "/SamplingTargets": {
    POST: (parts, request, response) => daemonOf(parts).sampling("GetSamplingTargets", request, response),
  },
  "/v1/traces": { POST: (parts, request, response) => daemonOf(parts).otlp("/v1/traces", request, response) },
  "/v1/metrics": {
    POST: (parts, request, response) => daemonOf(parts).otlp("/v1/metrics", request, response),
  },
  "/v1/logs": { POST: (parts, request, response) => daemonOf(parts).otlp("/v1/logs", request, response) },
};

const INVOCATION = /^\/2018-06-01\/runtime\/invocation\/([^/]{1,64})\/(response|error)$/;

/**
 * Answers one request of a guest. Whatever it sends, the outcome is an answer to it or the end of its connection: the guest
 * is not trusted, and nothing it does here may throw into the platform.
 */
export function handleRequest(
  parts: ApiParts | undefined,
  request: IncomingMessage,
  response: ServerResponse,
): void {
  // EPIPE and ECONNRESET: the guest has hung up, which is its right.
  response.on("error", () => undefined);
  request.on("error", () => undefined);
  const path = (request.url ?? "").split("?", 1)[0] ?? "";
  const invocation = INVOCATION.exec(path);
  const route = ROUTES[invocation === null ? path : `/2018-06-01/runtime/invocation/{id}/${invocation[2]}`];
  const handler = route?.[request.method ?? ""];
  if (handler === undefined || parts === undefined) {
    request.resume();
    response.writeHead(parts === undefined ? 503 : route === undefined ? 404 : 405, {
      "Content-Type": "text/plain; charset=utf-8",
    });
    response.end(route === undefined ? "404 page not found\n" : undefined);
    return;
  }
  void run(handler, parts, request, response, invocation?.[1] ?? "");
}

async function run(
  handler: Handler,
  parts: ApiParts,
  request: IncomingMessage,
  response: ServerResponse,
  id: string,
): Promise<void> {
  try {
    await handler(parts, request, response, id);
  } catch (error) {
    if (!(error instanceof ApiError)) parts.onError(error);
    request.resume();
    if (response.headersSent || response.destroyed) return;
    sendError(
      response,
      error instanceof ApiError ? error : new ApiError(500, "InternalServerError", "Internal Server Error"),
    );
  }
}

function daemonOf(parts: ApiParts): TraceDaemon {
  if (parts.traceDaemon === undefined) throw new ApiError(404, "NotFound", "Nothing is traced here");
  return parts.traceDaemon;
}

function runtimeOf(parts: ApiParts): Runtime {
  if (parts.runtime === undefined)
    throw new ApiError(403, "InvalidStateTransition", "This environment's runtime is the platform's own");
  return parts.runtime;
}
