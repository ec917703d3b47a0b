import { Readable } from "node:stream";
import { AwsError } from "#core/errors";
import type { Clock } from "#core/clock";
import type { Documents } from "#storage/documents";
import type { AggregatingMetricSink } from "#telemetry/metric-sink";
import type { CallContext } from "#wire/operation";
import { type BucketDocument, findBucket } from "../store.ts";
import type { MetricsConfiguration } from "./configuration.ts";

type AnyHandler = (input: never, call: CallContext) => unknown;

/** How requests count, beside in AllRequests (user guide, "Amazon S3 CloudWatch request metrics"). */
const KINDS: Readonly<Record<string, string>> = {
  GetObject: "GetRequests",
  GetObjectAcl: "GetRequests",
  GetObjectAttributes: "GetRequests",
  GetObjectTagging: "GetRequests",
  HeadObject: "HeadRequests",
  PutObject: "PutRequests",
  PutObjectAcl: "PutRequests",
  PutObjectTagging: "PutRequests",
  CopyObject: "PutRequests",
  UploadPart: "PutRequests",
  UploadPartCopy: "PutRequests",
  DeleteObject: "DeleteRequests",
  DeleteObjectTagging: "DeleteRequests",
  AbortMultipartUpload: "DeleteRequests",
  DeleteObjects: "PostRequests",
  CreateMultipartUpload: "PostRequests",
  CompleteMultipartUpload: "PostRequests",
  ListObjects: "ListRequests",
  ListObjectsV2: "ListRequests",
  ListObjectVersions: "ListRequests",
  ListMultipartUploads: "ListRequests",
  ListParts: "ListRequests",
};

/** Buckets whose configurations (or the lack of them) are remembered. */
const REMEMBERED = 10_000;

interface Watched {
  readonly bucket: BucketDocument;
  readonly configurations: readonly MetricsConfiguration[];
}

export interface RequestMetricsOptions {
  readonly documents: Documents;
  readonly clock: Clock;
  readonly metrics?: Pick<AggregatingMetricSink, "series">;
}

/** Counts requests to buckets that have a metrics configuration. To others it costs a look-up. */
export class RequestMetrics {
  readonly #documents: Documents;
  readonly #clock: Clock;
  readonly #sink: RequestMetricsOptions["metrics"];
  readonly #watched = new Map<string, Watched | undefined>();

  constructor({ documents, clock, metrics }: RequestMetricsOptions) {
    this.#documents = documents;
    this.#clock = clock;
    this.#sink = metrics;
  }

  /** To be called when a bucket's configurations have changed, or the bucket has. */
  changed(bucket: string): void {
    this.#watched.delete(bucket);
  }

  reset(): void {
    this.#watched.clear();
  }

  /** The same handlers, counted. */
  counted<Operations extends object>(operations: Operations): Operations {
    const entries = Object.entries(operations as Record<string, AnyHandler>).map(([name, handle]) => {
      if (name === "CreateBucket" || name === "DeleteBucket") return [name, this.#noting(handle)] as const;
      const kind = KINDS[name];
      return [name, kind === undefined ? handle : this.#counting(kind, handle)] as const;
    });
    return Object.fromEntries(entries) as Operations;
  }

  #noting(handle: AnyHandler): AnyHandler {
    return async (input, call) => {
      const { Bucket: bucket = "" } = input as { readonly Bucket?: string };
      try {
        return await handle(input, call);
      } finally {
        this.changed(bucket);
      }
    };
  }

  #counting(kind: string, handle: AnyHandler): AnyHandler {
    return (input, call) => {
      const { Bucket: name = "", Key: key } = input as { readonly Bucket?: string; readonly Key?: string };
      const watched = this.#of(name);
      if (watched === undefined) return handle(input, call);
      const concerned = watched.configurations.filter(
        ({ Prefix }) => Prefix === undefined || key?.startsWith(Prefix) === true,
      );
      return concerned.length === 0
        ? handle(input, call)
        : this.#measured({ kind, bucket: watched.bucket, concerned }, () => handle(input, call), call);
    };
  }

  async #measured(
    of: {
      readonly kind: string;
      readonly bucket: BucketDocument;
      readonly concerned: readonly MetricsConfiguration[];
    },
    handle: () => unknown,
    call: CallContext,
  ): Promise<unknown> {
    const { bucket, concerned, kind } = of;
    const started = this.#clock.monotonic();
    const record = (name: string, unit: string, value: number): void => {
      for (const { Id: FilterId } of concerned) this.#record(bucket, FilterId, name, unit, value);
    };
    const latency = (name: string): void => record(name, "Milliseconds", this.#clock.monotonic() - started);
    record("AllRequests", "Count", 1);
    record(kind, "Count", 1);
    const failed = (status: number): void => {
      record("4xxErrors", "Count", status >= 400 && status < 500 ? 1 : 0);
      record("5xxErrors", "Count", status >= 500 ? 1 : 0);
      latency("FirstByteLatency");
    };
    try {
      const output = await handle();
      failed(200);
      const uploaded = Number(call.headers["x-amz-decoded-content-length"] ?? call.headers["content-length"]);
      if (kind === "PutRequests" && uploaded > 0) record("BytesUploaded", "Bytes", uploaded);
      const { Body, ContentLength = 0 } = (output ?? {}) as {
        readonly Body?: unknown;
        readonly ContentLength?: number;
      };
      if (!(Body instanceof Readable)) {
        latency("TotalRequestLatency");
        return output;
      }
      // To ask for what it reads would set it going; that it has ended tells as much.
      Body.once("end", () => {
        record("BytesDownloaded", "Bytes", ContentLength);
        latency("TotalRequestLatency");
      });
      return output;
    } catch (error) {
      failed(error instanceof AwsError ? error.status : 500);
      latency("TotalRequestLatency");
      throw error;
    }
  }

  #of(name: string): Watched | undefined {
    if (this.#sink === undefined) return undefined;
    if (this.#watched.has(name)) return this.#watched.get(name);
    const bucket = findBucket(this.#documents, name)?.value;
    const configurations = bucket?.settings.metrics ?? [];
    const watched =
      bucket === undefined || configurations.length === 0 ? undefined : { bucket, configurations };
    if (this.#watched.size >= REMEMBERED) this.#watched.clear();
    this.#watched.set(name, watched);
    return watched;
  }

  #record(
    { account, region, name: BucketName }: BucketDocument,
    FilterId: string,
    name: string,
    unit: string,
    value: number,
  ): void {
    const dimensions = { BucketName, FilterId };
    this.#sink
      ?.series({ account, region, namespace: "AWS/S3", name, unit, dimensions })
      .record(value, this.#clock.now());
  }
}
