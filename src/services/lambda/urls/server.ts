import type { Clock } from "#core/clock";
import { AwsError } from "#core/errors";
import type { Ids } from "#core/ids";
import type { Engine, Invocation, MetricSink } from "#engine/contract";
import type { Authenticate } from "#wire/auth/types";
import { errors } from "../errors.ts";
import { registeredScopes } from "../lifecycle.ts";
import { LIMITS } from "../limits.ts";
import type { Scope } from "../names.ts";
import type { Resolver } from "../resolver.ts";
import type { LambdaStore } from "../store.ts";
import { requireTenant } from "../tenancy.ts";
import { accountOf, addressOf, type UrlAddress } from "./address.ts";
import { authorise, type UrlPermissions } from "./authorise.ts";
import { corsHeaders, isPreflight, merge, preflightHeaders } from "./cors.ts";
import { urlErrors } from "./errors.ts";
import { eventOf, schemeOf } from "./event.ts";
import { UrlMetrics } from "./metrics.ts";
import { urlKeys, type UrlIdRecord, type UrlRecord } from "./records.ts";
import { responseOf } from "./response.ts";
import { StreamedResponse } from "./stream.ts";
import type { ResponseHeaders, UrlCaller, UrlRequest, UrlResponse } from "./types.ts";

export interface UrlServerOptions {
  readonly store: LambdaStore;
  readonly resolver: Resolver;
  readonly engine: Engine;
  /** Verifies the signatures that AWS_IAM demands; without it such URLs refuse every call. */
  readonly authenticate: Authenticate | undefined;
  /** Decides who may call; without it nobody may. */
  readonly permissions: UrlPermissions | undefined;
  readonly clock: Clock;
  readonly ids: Ids;
  /** From 0, inclusive, to 1. Weighs the versions of an alias. */
  readonly random: () => number;
  readonly metrics: MetricSink | undefined;
  /** Told of every error that is not an AwsError. */
  readonly onProblem: (problem: unknown) => void;
}

const STANDARD_PORTS = { http: "80", https: "443" } as const;

/** A request that was answered: for the platform's log. */
export interface AnsweredUrl {
  readonly requestId: string;
  readonly status: number;
  readonly durationMs: number;
}

export interface UrlServer {
  /** Answers a request for a function URL and never rejects; undefined for every other request. */
  serve(request: UrlRequest, onAnswer?: (answer: AnsweredUrl) => void): Promise<UrlResponse> | undefined;
  /** The largest body of such a request in bytes; undefined for every other request. */
  bodyLimit(host: string | undefined, path: string): number | undefined;
}

/** A configured URL, and what it leads to. */
interface Found extends UrlIdRecord, Scope {
  readonly record: UrlRecord;
}

/** One request on its way. */
interface Exchange {
  readonly request: UrlRequest;
  readonly address: UrlAddress;
  readonly found: Found;
  readonly requestId: string;
  /** Epoch milliseconds. */
  readonly receivedAt: number;
  readonly trace: string;
  /** Whether its trace is recorded; undefined where the answer begins before that is known: a streamed one. */
  sampled: boolean | undefined;
}

/** Runs functions for whoever calls their URLs: find the URL → preflight → authorise → event → invoke → response. */
export function createUrlServer(options: UrlServerOptions): UrlServer {
  const { store, resolver, engine, authenticate, permissions, clock, ids, random, onProblem } = options;
  const metrics = options.metrics === undefined ? undefined : new UrlMetrics(options.metrics);

  async function answer(
    request: UrlRequest,
    address: UrlAddress,
    onAnswer: ((answer: AnsweredUrl) => void) | undefined,
  ): Promise<UrlResponse> {
    const started = clock.monotonic();
    const receivedAt = clock.now();
    const requestId = ids.uuid();
    const trace = traceOf(request.headers["x-amzn-trace-id"], receivedAt, ids);
    const found = find(store, address);
    const exchange =
      found === undefined
        ? undefined
        : { request, address, found, requestId, receivedAt, trace, sampled: false };
    const response = exchange === undefined ? errorResponse(urlErrors.noSuchUrl()) : await respond(exchange);
    const durationMs = clock.monotonic() - started;
    if (found !== undefined) metrics?.answered(found, found, response.status, durationMs, receivedAt);
    onAnswer?.({ requestId, status: response.status, durationMs });
    response.headers["x-amzn-requestid"] = requestId;
    response.headers["x-amzn-trace-id"] = decidedTrace(trace, exchange);
    return response;
  }

  async function respond(exchange: Exchange): Promise<UrlResponse> {
    const { request, found } = exchange;
    const { cors } = found.record;
    const origin = request.headers["origin"];
    if (cors !== undefined && isPreflight(request))
      return { status: 200, headers: preflightHeaders(cors, origin), body: undefined };
    const response = await attempt(exchange);
    return cors === undefined
      ? response
      : { ...response, headers: merge(response.headers, corsHeaders(cors, origin)) };
  }

  async function attempt(exchange: Exchange): Promise<UrlResponse> {
    const { request, found } = exchange;
    try {
      const { account, region, name, qualifier, record } = found;
      const { receivedAt } = exchange;
      const subject = { account, region, name, qualifier, authType: record.authType, receivedAt };
      const caller = await authorise(request, subject, { authenticate, permissions });
      return await invoke(exchange, caller);
    } catch (error) {
      if (error instanceof AwsError) return errorResponse(error);
      onProblem(error);
      return internalServerError();
    }
  }

  function invoke(exchange: Exchange, caller: UrlCaller | undefined): Promise<UrlResponse> {
    const { request, address, found, requestId, receivedAt, trace } = exchange;
    const { account, region, name, record } = found;
    const qualifier = found.qualifier === "$LATEST" ? undefined : found.qualifier;
    const target = resolver.resolveName({ account, region, name, qualifier });
    requireTenant(target.spec, undefined);
    const payload = eventOf(request, {
      urlId: record.urlId,
      region,
      path: address.path,
      requestId,
      time: receivedAt,
      trace,
      port:
        /:(\d{1,5})$/.exec(request.headers["host"] ?? "")?.[1] ?? STANDARD_PORTS[schemeOf(request.baseUrl)],
      caller,
    });
    if (payload.length > LIMITS.synchronousPayloadBytes)
      throw errors.requestTooLarge(LIMITS.synchronousPayloadBytes, "InvokeFunctionUrl");
    const { alternative } = target;
    const spec = alternative !== undefined && random() < alternative.share ? alternative.spec : target.spec;
    const invocation: Invocation = {
      spec,
      requestId,
      invokedArn: target.invokedArn,
      payload,
      clientContext: undefined,
      // Whether it is recorded is for the function's tracing mode to say.
      traceHeader: trace,
      tail: false,
    };
    return record.invokeMode === "RESPONSE_STREAM"
      ? stream(exchange, invocation)
      : buffered(exchange, invocation);
  }

  async function buffered(exchange: Exchange, invocation: Invocation): Promise<UrlResponse> {
    const { payload, functionError, traceHeader } = await engine.invoke(invocation);
    exchange.sampled = traceHeader?.includes(";Sampled=1") ?? false;
    return (functionError === undefined ? responseOf(payload) : undefined) ?? internalServerError();
  }

  async function stream(exchange: Exchange, invocation: Invocation): Promise<UrlResponse> {
    exchange.sampled = undefined;
    const response = new StreamedResponse();
    const ended = engine.invoke({ ...invocation, sink: response }).then(
      ({ functionError }) => response.complete(functionError !== undefined),
      (error: unknown) => {
        // Before any answer, such as a throttle, it is the answer; afterwards nobody can be told but the operator.
        if (!response.answered) throw error;
        response.complete(true);
        if (!(error instanceof AwsError)) onProblem(error);
      },
    );
    const head = await Promise.race([response.head, ended.then(() => response.head)]);
    return head === undefined ? internalServerError() : { ...head, body: response.body };
  }

  return {
    serve(request, onAnswer) {
      const address = addressOf(request.headers["host"], request.path);
      return address === undefined ? undefined : answer(request, address, onAnswer);
    },
    bodyLimit: (host, path) =>
      addressOf(host, path) === undefined ? undefined : LIMITS.synchronousPayloadBytes,
  };
}

function find(store: LambdaStore, { urlId, region }: UrlAddress): Found | undefined {
  const account = accountOf(urlId);
  if (account === undefined) return undefined;
  for (const scope of region === undefined
    ? registeredScopes(store.documents, account)
    : [{ account, region }]) {
    const to = store.documents.get<UrlIdRecord>(urlKeys.id(scope, urlId))?.value;
    if (to === undefined) continue;
    const record = store.documents.get<UrlRecord>(urlKeys.config(scope, to.name, to.qualifier))?.value;
    if (record !== undefined) return { ...scope, ...to, record };
  }
  return undefined;
}

/** A caller's own root, where it is one; nothing else of what it writes goes on. */
function traceOf(given: string | undefined, now: number, ids: Ids): string {
  const root = /(?:^|;)Root=(1-[0-9a-f]{8}-[0-9a-f]{24})(?:;|$)/.exec(given ?? "")?.[1];
  return `Root=${root ?? `1-${Math.floor(now / 1000).toString(16)}-${ids.hex(24)}`}`;
}

function decidedTrace(trace: string, exchange: Pick<Exchange, "sampled"> | undefined): string {
  if (exchange === undefined) return `${trace};Sampled=0`;
  return exchange.sampled === undefined ? trace : `${trace};Sampled=${exchange.sampled ? 1 : 0}`;
}

/** A function that failed, timed out, or answered what is no response. */
function internalServerError(): UrlResponse {
  return { status: 502, headers: { "content-type": "application/json" }, body: "Internal Server Error" };
}

function errorResponse(error: AwsError): UrlResponse {
  const { code, message, status, members } = error;
  if (status >= 500 && status !== 503) return internalServerError();
  const headers: ResponseHeaders = {
    ...error.headers,
    "content-type": "application/json",
    "x-amzn-errortype": code,
  };
  const body = "Message" in members ? members : { ...members, message };
  return { status, headers, body: JSON.stringify(body) };
}
