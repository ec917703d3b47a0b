import { servicePrincipal } from "#core/principal";
import { control, type ControlOptions } from "#server/control";
import type { HttpRequest, HttpResponse } from "#server/listener";
import type { Turnstile } from "#server/turnstile";
import type { LambdaService } from "#services/lambda/service";
import type { createRequestLog } from "#telemetry/request-log";
import type { Authenticate } from "#wire/auth/types";
import type { LargeBodies } from "#wire/large-bodies/large-bodies";
import { createPipeline, type PipelineParts } from "#wire/pipeline";
import { bucketOfHost } from "#wire/routing/virtual-host";
import type { OtlpIntake } from "./otlp-intake.ts";
import type { ServicePart } from "./part.ts";
import type { Shared } from "./shared.ts";

/** Requests that may take as long as a function does: Invoke, InvokeAsync and InvokeWithResponseStream. */
const INVOCATION = /\/(?:invocations|invoke-async|response-streaming-invocations)\/?$/;

/** Whose a request is: a function's own address comes first, then the platform's, links and telemetry, and AWS's operations. */
export function createRequestHandler(
  { config }: Pick<Shared, "config">,
  parts: {
    readonly pipeline: PipelineParts;
    readonly largeBodies: LargeBodies;
    readonly authenticate: Authenticate;
    readonly requestLog: ReturnType<typeof createRequestLog>;
    /** Lets a reset be alone. */
    readonly turnstile: Turnstile;
    readonly controls: ControlOptions;
    readonly lambda: LambdaService;
    readonly otlpIntake: OtlpIntake;
    readonly neighbours: readonly ServicePart[];
  },
): (request: HttpRequest) => Promise<HttpResponse> {
  const { largeBodies, authenticate, requestLog, turnstile, controls, lambda, otlpIntake } = parts;
  const pipeline = createPipeline({
    ...parts.pipeline,
    largeBodies,
    authenticate,
    // May nothing of its own: what it is given, a token in the request has earned.
    unsigned: {
      principal: servicePrincipal("sts.amazonaws.com", { account: config.account }),
      region: config.region,
    },
    ...(requestLog === undefined
      ? {}
      : {
          onAnswer: ({ method, path }, label, status, durationMs) =>
            requestLog({ method, path, ...label, status, durationMs }),
        }),
  });

  // What reads and then writes must not see everything vanish in between. Invocations may: they have what they need.
  const handle = (request: HttpRequest): Promise<HttpResponse> =>
    INVOCATION.test(request.path) ? pipeline.handle(request) : turnstile.pass(() => pipeline.handle(request));

  const serveUrl = (request: HttpRequest): Promise<HttpResponse> | undefined => {
    if (!isWhole(request)) return undefined;
    return lambda.urls.serve(request, (answer) =>
      requestLog?.({
        method: request.method,
        path: request.path,
        service: "lambda",
        operation: "InvokeFunctionUrl",
        ...answer,
      }),
    );
  };

  const servers = [
    (one: HttpRequest) => otlpIntake.serve(one),
    ...parts.neighbours.flatMap(({ serve }) => (serve === undefined ? [] : [serve])),
  ];
  const serveOther = (request: HttpRequest): Promise<HttpResponse> | undefined => {
    for (const serve of servers) {
      const answer = serve(request);
      if (answer !== undefined) return turnstile.pass(answer);
    }
    return undefined;
  };

  return (request) =>
    serveUrl(request) ??
    (isBucket(request) ? undefined : control(controls, request)) ??
    serveOther(request) ??
    handle(request);
}

/** A visit of `/` by a bucket's host name is for the bucket. */
function isBucket({ path, headers }: HttpRequest): boolean {
  return path === "/" && bucketOfHost(headers["host"]) !== undefined;
}

/** Only uploads to S3 come as streams. */
function isWhole(request: HttpRequest): request is HttpRequest & { readonly body: Buffer } {
  return Buffer.isBuffer(request.body);
}
