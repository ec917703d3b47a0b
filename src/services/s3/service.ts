import { AwsError } from "#core/errors";
import type { Documents } from "#storage/documents";
import type { CallContext, ServiceDefinition } from "#wire/operation";
import type { WireResponse } from "#wire/protocols/protocol";
import { s3ErrorResponse } from "#wire/protocols/xml/rest-xml";
import { createAnonymousAccess } from "./anonymous.ts";
import { createS3Authorisation } from "./authorisation.ts";
import { ObjectBytes } from "./bytes.ts";
import { actualCorsHeaders } from "./cors.ts";
import type { S3Deps, S3Options } from "./deps.ts";
import { s3Errors } from "./errors.ts";
import { LifecycleSweep } from "./lifecycle/sweep.ts";
import { Delivery } from "./notifications/delivery.ts";
import { EventLog } from "./notifications/events.ts";
import { RequestMetrics } from "./metrics/requests.ts";
import { StorageMetrics } from "./metrics/storage.ts";
import { accessOperations } from "./operations/access.ts";
import { aclOperations } from "./operations/acls.ts";
import { attributeOperations } from "./operations/attributes.ts";
import { bucketOperations } from "./operations/buckets.ts";
import { configurationOperations } from "./operations/configurations.ts";
import { copyOperations } from "./operations/copies.ts";
import { corsOperations } from "./operations/cors.ts";
import { deleteOperations } from "./operations/deletes.ts";
import { lifecycleOperations } from "./operations/lifecycle.ts";
import { listOperations } from "./operations/lists.ts";
import { metricsOperations } from "./operations/metrics.ts";
import { multipartOperations } from "./operations/multipart.ts";
import { notificationOperations } from "./operations/notifications.ts";
import { objectOperations } from "./operations/objects.ts";
import { partOperations } from "./operations/parts.ts";
import { taggingOperations } from "./operations/tagging.ts";
import { uploadListOperations } from "./operations/upload-lists.ts";
import { versioningOperations } from "./operations/versioning.ts";
import { versionListOperations } from "./operations/version-lists.ts";
import { answerPreflight, type PreflightRequest } from "./preflight.ts";
import { findBucket } from "./store.ts";
import { Versions } from "./versions.ts";

type AnyHandler = (input: never, call: CallContext) => unknown;

export type S3Operations = ReturnType<typeof operationsOf>;

export interface S3Service extends ServiceDefinition {
  readonly operations: S3Operations;
  readonly lifecycle: LifecycleSweep;
  /** Answers an OPTIONS request. */
  preflight(request: PreflightRequest): WireResponse;
  /** Answers a form that a browser posts. */
  form(): WireResponse;
  /** Takes up what was under way when the platform last stopped. */
  start(): Promise<void>;
  /** Forgets what it remembers of buckets; call after the storage was emptied. */
  reset(): void;
  /** Takes up nothing more, and waits for what is under way. */
  stop(graceMs: number): Promise<void>;
}

/** Simple Storage Service: buckets, objects, and what happens to them. */
export function createS3Service(options: S3Options): S3Service {
  const { documents, queue, caller, clock, ids, onError } = options;
  const bytes = new ObjectBytes(options);
  const deps: S3Deps = {
    ...options,
    bytes,
    versions: new Versions({ ...options, bytes }),
    events: new EventLog(clock),
  };
  const requests = new RequestMetrics(options);
  const storage = new StorageMetrics(options);
  const delivery = new Delivery({ queue, caller, clock, onError });
  const lifecycle = new LifecycleSweep(deps);
  return {
    name: "s3",
    anonymous: createAnonymousAccess(options.documents),
    authorisation: createS3Authorisation(options.documents),
    onRefusal: (refusal) => requests.refused(refusal),
    operations: withCors(documents, requests.counted(operationsOf(deps, requests))),
    lifecycle,
    preflight: (request) => answerPreflight(documents, ids, request),
    form: () => s3ErrorResponse(s3Errors.notBuilt("Uploading by a form (POST Object)"), ids.uuid()),
    async start() {
      await bytes.sweep();
      delivery.start();
      lifecycle.start();
      storage.start();
    },
    reset: () => requests.reset(),
    async stop(graceMs) {
      await Promise.all([delivery.close(graceMs), lifecycle.stop(), storage.stop()]);
      await bytes.idle();
    },
  };
}

function operationsOf(deps: S3Deps, requests: RequestMetrics) {
  return {
    ...bucketOperations(deps),
    ...objectOperations(deps),
    ...deleteOperations(deps),
    ...copyOperations(deps),
    ...listOperations(deps),
    ...versionListOperations(deps),
    ...attributeOperations(deps),
    ...multipartOperations(deps),
    ...partOperations(deps),
    ...uploadListOperations(deps),
    ...taggingOperations(deps),
    ...versioningOperations(deps),
    ...accessOperations(deps),
    ...aclOperations(deps),
    ...corsOperations(deps),
    ...configurationOperations(deps),
    ...lifecycleOperations(deps),
    ...notificationOperations(deps),
    ...metricsOperations(deps, requests),
  };
}

/** Tells browsers, in answers and errors alike, what the bucket's CORS configuration lets them see. */
function withCors(documents: Documents, operations: S3Operations): S3Operations {
  const entries = Object.entries<AnyHandler>(operations).map(([name, handle]) => {
    const wrapped: AnyHandler = (input, call) => {
      const { origin } = call.headers;
      if (origin === undefined) return handle(input, call);
      const { Bucket: bucket = "" } = input as { readonly Bucket?: string };
      const cors = findBucket(documents, bucket)?.value.settings.cors;
      const headers = cors === undefined ? undefined : actualCorsHeaders(cors, origin, name);
      if (headers === undefined) return handle(input, call);
      Object.assign(call.responseHeaders, headers);
      return Promise.resolve()
        .then(() => handle(input, call))
        .catch((error: unknown) => {
          throw error instanceof AwsError ? withHeaders(error, headers) : error;
        });
    };
    return [name, wrapped] as const;
  });
  return Object.fromEntries(entries) as unknown as S3Operations;
}

function withHeaders(error: AwsError, headers: Readonly<Record<string, string>>): AwsError {
  const { code, message, status, members, cause } = error;
  return new AwsError(code, message, { status, members, cause, headers: { ...headers, ...error.headers } });
}
