import type { Readable } from "node:stream";
import { AwsError } from "#core/errors";
import type { Clock } from "#core/clock";
import type { Ids } from "#core/ids";
import { anonymousPrincipal } from "#core/principal";
import { isUnsigned, unsignedPayload } from "./auth/anonymous.ts";
import { credentialScope } from "./auth/scope.ts";
import type { Authenticate, Authenticated } from "./auth/types.ts";
import { Call } from "./call.ts";
import { decompress, isCompressed } from "./compressed.ts";
import { internalFailure, notImplemented } from "./internal-failure.ts";
import type { CallContext, ServiceDefinition } from "./operation.ts";
import { protocols } from "./protocols/registry.ts";
import type { Protocol, WireRequest, WireResponse } from "./protocols/protocol.ts";
import { createRouter } from "./routing/router.ts";
import { bucketOfHost } from "./routing/virtual-host.ts";
import type { Models } from "./schema/load.ts";
import type { OperationModel, ServiceModel } from "./schema/model.ts";
import { LARGE_BODY_BYTES, type LargeBodies, parsesBody } from "./large-bodies/large-bodies.ts";
import { handlerTable } from "./services.ts";
import { validateInput } from "./validation/errors.ts";

/** A request as the listener hands it over. */
export interface IncomingRequest extends WireRequest {
  /** The socket's peer, such as `127.0.0.1`. */
  readonly remoteAddress: string;
  /** Scheme and authority that the client used. */
  readonly baseUrl: string;
  /** Aborted when the client has gone. */
  readonly signal: AbortSignal;
}

/** Throws an AwsError where the caller may not call the operation with this input. */
export type Authorise = (
  service: ServiceModel,
  operation: OperationModel,
  input: object,
  call: CallContext,
) => void | Promise<void>;

export type StepName =
  | "route"
  | "authenticate"
  | "deserialise"
  | "validate"
  | "authorise"
  | "handle"
  | "serialise";

/** Who asked for what, for logs and metrics; operation and service are missing before routing found them. */
export interface RequestLabel {
  readonly requestId: string;
  readonly service: string | undefined;
  readonly operation: string | undefined;
}

/** What HTTP requests and calls within the process have in common. */
export interface PipelineParts {
  readonly models: Models;
  /** In the order in which requests that name no service try them. */
  readonly services: readonly ServiceDefinition[];
  readonly authorise: Authorise;
  readonly ids: Ids;
  readonly clock: Clock;
  /** Told of every error that is no AwsError, or one of the server's with a cause, with the request id that the client got. */
  readonly onInternalError: (error: unknown, request: RequestLabel) => void;
}

export interface PipelineOptions extends PipelineParts {
  readonly authenticate: Authenticate;
  /** Whom operations that need no signature are called by where there is none. Default: they need one. */
  readonly unsigned?: Pick<Authenticated, "principal" | "region">;
  /** Deserialises bodies over 1 MB beside the event loop; where it is missing, all are deserialised in place. */
  readonly largeBodies?: LargeBodies;
  /** Told of every answer: its status, and how many milliseconds it took until it could be sent. */
  readonly onAnswer?: (
    request: IncomingRequest,
    label: RequestLabel,
    status: number,
    durationMs: number,
  ) => void;
  /** Told how many milliseconds each step took. */
  readonly onStep?: (step: StepName, durationMs: number, request: RequestLabel) => void;
}

export interface Pipeline {
  /** Answers every request: nothing that a client sends makes it reject. */
  readonly handle: (request: IncomingRequest) => Promise<WireResponse>;
}

/** One request on its way; each step fills in what the next ones need. */
interface Exchange {
  readonly request: IncomingRequest;
  readonly requestId: string;
  readonly receivedAt: number;
  /** The path of the resource: the request's own, after the bucket where that is in the host name. */
  path: string;
  protocol: Protocol;
  service: ServiceModel | undefined;
  operation: OperationModel | undefined;
  authenticated: Authenticated | undefined;
  call: Call | undefined;
  input: Record<string, unknown>;
  /** Whether the handler was called. */
  handled: boolean;
  output: unknown;
  response: WireResponse | undefined;
}

/** A step returns a promise only where it has to wait: most requests run through all but `handle` in one go. */
interface Step {
  readonly name: StepName;
  readonly run: (exchange: Exchange) => void | Promise<void>;
}

/** The way of every AWS request, in order. An error leaves from any step to `serialiseError` of the request's protocol. */
export function createPipeline(options: PipelineOptions): Pipeline {
  const { services, ids, clock, onAnswer, onStep, onInternalError } = options;
  const steps: readonly Step[] = [
    { name: "route", run: routeStep(options) },
    { name: "authenticate", run: authenticateStep(options) },
    { name: "deserialise", run: deserialiseStep(options) },
    { name: "validate", run: validate },
    { name: "authorise", run: authoriseStep(options) },
    { name: "handle", run: handleStep(options) },
    { name: "serialise", run: serialise },
  ];

  async function run(exchange: Exchange): Promise<WireResponse> {
    try {
      for (const step of steps) {
        const started = onStep === undefined ? 0 : clock.monotonic();
        const pending = step.run(exchange);
        if (pending !== undefined) await pending;
        onStep?.(step.name, clock.monotonic() - started, labelOf(exchange));
      }
      return exchange.response ?? fail(exchange, new Error("the pipeline ended without a response"));
    } catch (error) {
      return fail(exchange, error);
    }
  }

  function fail(exchange: Exchange, error: unknown): WireResponse {
    const { protocol, service, operation, requestId } = exchange;
    // Nor is the client told why the host failed.
    if (!(error instanceof AwsError) || (error.fault === "server" && error.cause !== undefined))
      onInternalError(error, labelOf(exchange));
    const shown = error instanceof AwsError ? error : internalFailure(service?.name, error);
    if (!exchange.handled) tellRefusal(exchange, shown.status);
    return protocol.serialiseError(service, operation, shown, requestId);
  }

  const told = new Map(services.map(({ name, onRefusal }) => [name, onRefusal]));
  function tellRefusal({ service, operation, path, receivedAt }: Exchange, status: number): void {
    if (service === undefined || operation === undefined) return;
    const durationMs = Math.max(0, clock.now() - receivedAt);
    told.get(service.name)?.({ operation: operation.name, path, status, durationMs });
  }

  async function answer(exchange: Exchange): Promise<WireResponse> {
    if (onAnswer === undefined) return run(exchange);
    const started = clock.monotonic();
    const response = await run(exchange);
    onAnswer(exchange.request, labelOf(exchange), response.status, clock.monotonic() - started);
    return response;
  }

  return {
    handle: (request) =>
      answer({
        request,
        requestId: ids.uuid(),
        receivedAt: clock.now(),
        path: request.path,
        // Until routing knows better; it is the protocol of the service that this platform is about.
        protocol: protocols["rest-json"],
        service: undefined,
        operation: undefined,
        authenticated: undefined,
        call: undefined,
        input: {},
        handled: false,
        output: undefined,
        response: undefined,
      }),
  };
}

function labelOf({ requestId, service, operation }: Exchange): RequestLabel {
  return { requestId, service: service?.name, operation: operation?.name };
}

function routeStep({ models, services }: PipelineOptions): Step["run"] {
  const router = createRouter(
    models,
    services.map(({ name }) => name),
  );
  const servesS3 = services.some(({ name }) => name === "s3");
  const route = (exchange: Exchange, request: WireRequest): void => {
    const { method, query, headers, body } = request;
    const claimed = credentialScope(request)?.service;
    const mayBeS3 = servesS3 && (claimed === undefined || claimed === "s3");
    const bucket = mayBeS3 ? bucketOfHost(headers["host"]) : undefined;
    // Signatures are of the path as it came; everything else goes by this one.
    const path = bucket === undefined ? request.path : `/${bucket}${request.path}`;
    const scopeService = bucket === undefined ? claimed : "s3";
    exchange.path = path;
    const found = router.route({ method, path, query, headers, body, scopeService });
    exchange.protocol = found.protocol;
    exchange.service = found.service;
    if (found.kind === "refusal") throw found.error;
    exchange.operation = found.operation;
  };
  return (exchange) => {
    const { request } = exchange;
    if (isCompressed(request) && router.needsBody(request))
      return whole(request.body)
        .then(decompress)
        .then((body) => route(exchange, { ...request, body }));
    if (Buffer.isBuffer(request.body) || !router.needsBody(request)) return route(exchange, request);
    return collect(request.body).then((body) => route(exchange, { ...request, body }));
  };
}

function authenticateStep({ authenticate, unsigned, services }: PipelineOptions): Step["run"] {
  const open = new Set(
    services.flatMap((service) => (service.unsigned ?? []).map((name) => `${service.name}.${name}`)),
  );
  const accept = (exchange: Exchange, authenticated: Authenticated): void => {
    const { request, requestId, receivedAt } = exchange;
    exchange.authenticated = authenticated;
    exchange.call = new Call({
      requestId,
      receivedAt,
      principal: authenticated.principal,
      region: authenticated.region,
      baseUrl: request.baseUrl,
      headers: request.headers,
      trailers: authenticated.trailers,
      query: request.query,
      sourceIp: request.remoteAddress,
      source: request,
    });
  };
  const isOpen = ({ request, service, operation }: Exchange): boolean =>
    request.headers["authorization"] === undefined &&
    !request.query.includes("X-Amz-") &&
    open.has(`${service?.name}.${operation?.name}`);
  const anonymous = new Map(
    services.flatMap((service) => (service.anonymous ? [[service.name, service.anonymous] as const] : [])),
  );
  /** Whom a request without a signature is from, where it needs none. */
  const anybody = ({ request, service, operation, path }: Exchange): Authenticated | undefined => {
    const access = anonymous.get(service?.name ?? "");
    if (access === undefined || operation === undefined || !isUnsigned(request)) return undefined;
    const found = access.locate(operation.name, path);
    if (found === undefined) return undefined;
    const principal = anonymousPrincipal(found.account);
    return { ...unsignedPayload(request), principal, region: found.region, service: service?.name ?? "" };
  };
  return (exchange) => {
    const { method, path, query, headers, body, remoteAddress } = exchange.request;
    const anyone = anybody(exchange);
    if (anyone !== undefined) return accept(exchange, anyone);
    if (unsigned !== undefined && isOpen(exchange))
      return accept(exchange, { ...unsigned, service: exchange.service?.name ?? "", body, trailers: {} });
    const authenticated = authenticate({
      method,
      path,
      query,
      headers,
      body,
      remoteAddress,
      protocol: exchange.protocol.name,
    });
    if (!(authenticated instanceof Promise)) return accept(exchange, authenticated);
    return authenticated.then((value) => accept(exchange, value));
  };
}

function deserialiseStep({ largeBodies }: PipelineOptions): Step["run"] {
  const readLarge = async (exchange: Exchange, parts: LargeBodies, body: Buffer): Promise<void> => {
    const { service, operation } = routed(exchange);
    const { path } = exchange;
    const { method, query, headers } = exchange.request;
    const request = { method, path, query, headers, body };
    exchange.input = await parts.deserialise(exchange.protocol.name, service, operation, request);
  };
  const read = (exchange: Exchange, body: Buffer | Readable): void | Promise<void> => {
    const { service, operation } = routed(exchange);
    if (largeBodies !== undefined && Buffer.isBuffer(body) && body.length > LARGE_BODY_BYTES)
      if (parsesBody(operation)) return readLarge(exchange, largeBodies, body);
    const { path } = exchange;
    const { method, query, headers } = exchange.request;
    const request = { method, path, query, headers, body };
    exchange.input = exchange.protocol.deserialise(service, operation, request);
    return undefined;
  };
  return (exchange) => {
    const { operation, authenticated } = routed(exchange);
    const { body } = authenticated;
    if (isCompressed(exchange.request))
      return whole(body)
        .then(decompress)
        .then((bytes) => read(exchange, bytes));
    if (Buffer.isBuffer(body) || takesStream(operation)) return read(exchange, body);
    return collect(body).then((collected) => read(exchange, collected));
  };
}

function validate(exchange: Exchange): void {
  const { service, operation } = routed(exchange);
  validateInput(service, operation, exchange.input);
}

function authoriseStep({ authorise }: PipelineOptions): Step["run"] {
  return (exchange) => {
    const { service, operation, call } = routed(exchange);
    return authorise(service, operation, exchange.input, call);
  };
}

function handleStep({ services }: PipelineOptions): Step["run"] {
  const handlerOf = handlerTable(services);
  return (exchange) => {
    const { service, operation, call } = routed(exchange);
    const handler = handlerOf(service.name, operation.name);
    if (handler === undefined) throw notImplemented(service.name, operation.name);
    exchange.handled = true;
    const output = handler(exchange.input, call);
    if (output instanceof Promise)
      return output.then((value: unknown) => {
        exchange.output = value;
      });
    exchange.output = output;
    return undefined;
  };
}

function serialise(exchange: Exchange): void {
  const { service, operation, call } = routed(exchange);
  const response = exchange.protocol.serialise(service, operation, exchange.output ?? {}, exchange.requestId);
  Object.assign(response.headers, call.responseHeaders);
  exchange.response =
    call.responseStatus === undefined ? response : { ...response, status: call.responseStatus };
}

/** What every step after `authenticate` may rely on. */
function routed({ service, operation, authenticated, call }: Exchange): {
  service: ServiceModel;
  operation: OperationModel;
  authenticated: Authenticated;
  call: Call;
} {
  if (service === undefined || operation === undefined || authenticated === undefined || call === undefined)
    throw new Error("a step ran before the steps that it needs");
  return { service, operation, authenticated, call };
}

function takesStream(operation: OperationModel): boolean {
  for (const { traits } of operation.input.members.values())
    if (traits.httpPayload && traits.streaming) return true;
  return false;
}

async function whole(body: Buffer | Readable): Promise<Buffer> {
  return Buffer.isBuffer(body) ? body : collect(body);
}

/** Documents are small; what uploads may be streams into the operation. */
const MAX_COLLECTED_BYTES = 72 * 1024 * 1024;

/** Reads a streamed body that the operation wants whole. @throws AwsError where it is too large or cut off */
async function collect(stream: Readable): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let length = 0;
  try {
    for await (const chunk of stream) {
      length += (chunk as Buffer).length;
      if (length > MAX_COLLECTED_BYTES) throw new AwsError("EntityTooLarge", "The request is too large.");
      chunks.push(chunk as Buffer);
    }
  } catch (error) {
    throw cutOff(error) ?? error;
  }
  return Buffer.concat(chunks);
}

/** What a body that ended with its connection is to the service; nobody is left to read it. */
function cutOff(error: unknown): AwsError | undefined {
  if (!(error instanceof Error && "code" in error && error.code === "ECONNRESET")) return undefined;
  return new AwsError("IncompleteBody", "The request body terminated unexpectedly", { cause: error });
}
