import { AwsError } from "#core/errors";
import { Turns } from "#core/turns";
import { jsonResponse } from "#server/json";
import type { HttpRequest, HttpResponse } from "#server/listener";
import { BinaryForm } from "#telemetry/otlp/binary";
import { type EventIn, readLogs } from "#telemetry/otlp/logs-in";
import { MetricsIn, type DatumIn } from "#telemetry/otlp/metrics-in";
import { SIGNALS, type Signal } from "#telemetry/otlp/signals";
import { readSpans } from "#telemetry/otlp/spans-in";
import { fieldsOf, type Fields } from "#telemetry/otlp/values";
import type { Authenticate } from "#wire/auth/types";
import { decompress } from "#wire/compressed";
import type { CallerIdentity } from "#wire/operation";
import { parseJsonBody } from "#wire/protocols/json/parse";
import { bucketOfHost } from "#wire/routing/virtual-host";
import { putSegments } from "./segments.ts";
import type { SharedByServices } from "./shared.ts";

/** As AWS's endpoint for traces takes it, unpacked ("OTLP endpoints", CloudWatch user guide). */
const MOST_BYTES = 5 * 1024 * 1024;
const SEGMENTS_AT_ONCE = 50;
/** PutLogEvents takes 1 MB, where each event counts 26 bytes more, and PutMetricData 1,000 values. */
const EVENT_BYTES = 26;
const LOG_BYTES = 900 * 1024;
/** Milliseconds from the first of them to the last; PutLogEvents takes a day. */
const LOG_SPAN = 24 * 3_600_000;
const EVENTS_AT_ONCE = 5000;
const DATA_AT_ONCE = 1000;

/** The service that each signal's endpoint of AWS is of, as requests to it are signed. */
const SIGNING: Readonly<Record<Signal, string>> = { traces: "xray", metrics: "monitoring", logs: "logs" };

/** A request in OTLP/HTTP. */
export interface OtlpRequest {
  readonly signal: Signal;
  readonly headers: HttpRequest["headers"];
  /** As it came: maybe compressed. */
  readonly body: Buffer;
}

/** Where log records go. */
export interface LogTarget {
  readonly group: string;
  readonly stream: string;
  /** Whether the stream is to be made. */
  readonly make: boolean;
}

export interface OtlpIntake {
  /** Answers POST /v1/traces, /v1/metrics and /v1/logs, signed as for AWS's endpoints; undefined for all else. */
  serve(request: HttpRequest): (() => Promise<HttpResponse>) | undefined;
  /** Takes a request in the name of whom it is from. @param logs where log records go that name no group */
  take(request: OtlpRequest, by: CallerIdentity, logs?: LogTarget): Promise<HttpResponse>;
}

/**
 * OpenTelemetry's protocol as AWS's own endpoints speak it: spans become X-Ray's segments, log records become log events,
 * and metrics CloudWatch's, each by the operation that its caller needs permission for.
 */
export function createOtlpIntake(shared: SharedByServices, authenticate: Authenticate): OtlpIntake {
  const { caller, clock, ids } = shared;
  const metricsIn = new MetricsIn();
  const turns = new Turns();
  let binary: Promise<BinaryForm> | undefined;

  async function read({ signal, headers, body }: OtlpRequest): Promise<Fields> {
    const bytes = headers["content-encoding"] === "gzip" ? await decompress(body) : body;
    if (bytes.length > MOST_BYTES) throw tooLarge();
    try {
      if (!isBinary(headers)) return fieldsOf(parseJsonBody(bytes));
      return (await (binary ??= BinaryForm.load())).read(signal, bytes);
    } catch {
      throw new AwsError("SerializationException", "The request body cannot be read.");
    }
  }

  async function traces(request: Fields, by: CallerIdentity): Promise<number> {
    const { documents, rejected } = readSpans(request);
    let refused = rejected;
    for (let at = 0; at < documents.length; at += SEGMENTS_AT_ONCE)
      // oxlint-disable-next-line no-await-in-loop
      refused += await putSegments(shared, documents.slice(at, at + SEGMENTS_AT_ONCE), by);
    return refused;
  }

  async function logs(request: Fields, by: CallerIdentity, target: LogTarget): Promise<number> {
    const logGroupName = target.group;
    const logStreamName = target.stream;
    if (target.make)
      await caller
        .call("logs", "CreateLogStream", { logGroupName, logStreamName }, by)
        .catch((error: unknown) => {
          if (!(error instanceof AwsError) || error.code !== "ResourceAlreadyExistsException") throw error;
        });
    for (const logEvents of inParts(readLogs(request, clock.now())))
      // oxlint-disable-next-line no-await-in-loop
      await caller.call("logs", "PutLogEvents", { logGroupName, logStreamName, logEvents }, by);
    return 0;
  }

  /** One request of an owner's at a time: what a total has grown by rests on what was taken before. */
  async function metrics(request: Fields, by: CallerIdentity): Promise<number> {
    const owner = `${by.principal.account} ${by.region}`;
    return turns.take(owner, async () => {
      const { data, rejected } = metricsIn.read(request, owner, clock.now());
      for (const [Namespace, values] of byNamespace(data))
        for (let at = 0; at < values.length; at += DATA_AT_ONCE) {
          const part = values.slice(at, at + DATA_AT_ONCE);
          const MetricData = part.map((datum) => metricDatum(datum));
          // oxlint-disable-next-line no-await-in-loop
          await caller.call("cloudwatch", "PutMetricData", { Namespace, MetricData }, by);
          metricsIn.taken(part, owner);
        }
      return rejected;
    });
  }

  async function take(request: OtlpRequest, by: CallerIdentity, target?: LogTarget): Promise<HttpResponse> {
    const { signal, headers } = request;
    try {
      if (!isBinary(headers) && !/^application\/json\b/.test(headers["content-type"] ?? ""))
        throw new AwsError("UnsupportedMediaType", "application/x-protobuf or application/json expected", {
          status: 415,
        });
      const given = logTarget(headers) ?? target;
      if (signal === "logs" && given === undefined)
        throw new AwsError("InvalidParameterException", "x-aws-log-group and x-aws-log-stream are needed");
      const fields = await read(request);
      const rejected =
        signal === "traces"
          ? await traces(fields, by)
          : signal === "metrics"
            ? await metrics(fields, by)
            : await logs(fields, by, given as LogTarget);
      return await answer(headers, signal, rejected);
    } catch (error) {
      return failure(error);
    }
  }

  async function answer(
    headers: HttpRequest["headers"],
    signal: Signal,
    rejected: number,
  ): Promise<HttpResponse> {
    const message = rejected === 0 ? "" : `${rejected} could not be taken`;
    if (isBinary(headers)) {
      const body = (await (binary ??= BinaryForm.load())).writeAnswer(rejected, message);
      return { status: 200, headers: { "content-type": "application/x-protobuf" }, body };
    }
    const name = { traces: "rejectedSpans", metrics: "rejectedDataPoints", logs: "rejectedLogRecords" }[
      signal
    ];
    const partialSuccess = { [name]: String(rejected), errorMessage: message };
    return jsonResponse(200, rejected === 0 ? {} : { partialSuccess });
  }

  /** In AWS's form, as AWS's own endpoints answer. */
  function failure(error: unknown): HttpResponse {
    if (!(error instanceof AwsError)) {
      shared.log.error(error, "OTLP");
      return jsonResponse(500, { message: "InternalFailure" });
    }
    const answered = jsonResponse(error.status, { message: error.message, code: error.code });
    const requestId = { "x-amzn-requestid": ids.uuid(), "x-amzn-errortype": error.code };
    return { ...answered, headers: { ...answered.headers, ...requestId } };
  }

  async function signed(signal: Signal, request: HttpRequest): Promise<HttpResponse> {
    const { headers } = request;
    try {
      const proven = await authenticate({ ...request, protocol: "rest-json" });
      if (proven.service !== SIGNING[signal])
        throw new AwsError(
          "InvalidSignatureException",
          `Credential should be scoped to correct service: '${SIGNING[signal]}'.`,
          { status: 403 },
        );
      const by = { principal: proven.principal, region: proven.region };
      return await take({ signal, headers, body: proven.body as Buffer }, by);
    } catch (error) {
      return failure(error);
    }
  }

  return {
    take,
    serve(request) {
      const signal = request.method === "POST" ? signalOf(request.path) : undefined;
      if (signal === undefined || !Buffer.isBuffer(request.body)) return undefined;
      // An object's key may be any path.
      if (bucketOfHost(request.headers["host"]) !== undefined) return undefined;
      return () => signed(signal, request);
    },
  };
}

/** What a path such as `/v1/traces` is for. */
export function signalOf(path: string): Signal | undefined {
  return SIGNALS.find((signal) => path === `/v1/${signal}`);
}

function isBinary(headers: HttpRequest["headers"]): boolean {
  return /^application\/x-protobuf\b/.test(headers["content-type"] ?? "");
}

function tooLarge(): AwsError {
  return new AwsError("RequestEntityTooLargeException", "Request must be smaller than 5242880 bytes", {
    status: 413,
  });
}

function logTarget(headers: HttpRequest["headers"]): LogTarget | undefined {
  const { "x-aws-log-group": group, "x-aws-log-stream": stream } = headers;
  return group === undefined || stream === undefined ? undefined : { group, stream, make: false };
}

/** @param events in the order of their times */
function* inParts(events: readonly EventIn[]): Generator<readonly EventIn[]> {
  let part: EventIn[] = [];
  let size = 0;
  for (const event of events) {
    const bytes = Buffer.byteLength(event.message) + EVENT_BYTES;
    const late = event.timestamp - (part[0]?.timestamp ?? event.timestamp) > LOG_SPAN;
    if (part.length === EVENTS_AT_ONCE || late || (part.length > 0 && size + bytes > LOG_BYTES)) {
      yield part;
      part = [];
      size = 0;
    }
    part.push(event);
    size += bytes;
  }
  if (part.length > 0) yield part;
}

function byNamespace(data: readonly DatumIn[]): ReadonlyMap<string, readonly DatumIn[]> {
  const found = new Map<string, DatumIn[]>();
  for (const datum of data) {
    const values = found.get(datum.namespace) ?? [];
    found.set(datum.namespace, values);
    values.push(datum);
  }
  return found;
}

function metricDatum({ name, dimensions, time, unit, value }: DatumIn): object {
  return {
    MetricName: name,
    Dimensions: Object.entries(dimensions).map(([Name, Value]) => ({ Name, Value })),
    Timestamp: new Date(time),
    Unit: unit,
    ...(typeof value === "number"
      ? { Value: value }
      : {
          StatisticValues: {
            SampleCount: value.count,
            Sum: value.sum,
            Minimum: value.min,
            Maximum: value.max,
          },
        }),
  };
}
