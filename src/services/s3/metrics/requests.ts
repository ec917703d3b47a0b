import { Readable } from "node:stream";
import { AwsError } from "#core/errors";
import type { Clock } from "#core/clock";
import type { Documents } from "#storage/documents";
import type { AggregatingMetricSink } from "#telemetry/metric-sink";
import type { CallContext, Refusal } from "#wire/operation";
import { resourceOf } from "../path.ts";
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

/** A request that counts. */
interface Counted {
  readonly kind: string;
  readonly bucket: BucketDocument;
  /** The configurations that it counts for. */
  readonly concerned: readonly MetricsConfiguration[];
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
      const counted = this.#counted(kind, name, key);
      return counted === undefined
        ? handle(input, call)
        : this.#measured(counted, () => handle(input, call), call);
    };
  }

  /** Counts a request that did not come to its handler. */
  refused({ operation, path, status, durationMs }: Refusal): void {
    const kind = KINDS[operation];
    if (kind === undefined) return;
    const { bucket, key } = resourceOf(path);
    const counted = this.#counted(kind, bucket, key);
    if (counted === undefined) return;
    this.#begun(counted);
    this.#answered(counted, status, durationMs);
    this.#recordFor(counted, "TotalRequestLatency", "Milliseconds", durationMs);
  }

  /** Undefined where nobody wants to know of a request. */
  #counted(kind: string, name: string, key: string | undefined): Counted | undefined {
    const watched = this.#of(name);
    if (watched === undefined) return undefined;
    const concerned = watched.configurations.filter(
      ({ Prefix }) => Prefix === undefined || key?.startsWith(Prefix) === true,
    );
    return concerned.length === 0 ? undefined : { kind, bucket: watched.bucket, concerned };
  }

  #begun(counted: Counted): void {
    this.#recordFor(counted, "AllRequests", "Count", 1);
    this.#recordFor(counted, counted.kind, "Count", 1);
  }

  #answered(counted: Counted, status: number, durationMs: number): void {
    this.#recordFor(counted, "4xxErrors", "Count", status >= 400 && status < 500 ? 1 : 0);
    this.#recordFor(counted, "5xxErrors", "Count", status >= 500 ? 1 : 0);
    this.#recordFor(counted, "FirstByteLatency", "Milliseconds", durationMs);
  }

  async #measured(counted: Counted, handle: () => unknown, call: CallContext): Promise<unknown> {
    const started = this.#clock.monotonic();
    const took = (): number => this.#clock.monotonic() - started;
    const bytes = (name: string, count: number): void => this.#recordFor(counted, name, "Bytes", count);
    const ended = (): void => this.#recordFor(counted, "TotalRequestLatency", "Milliseconds", took());
    this.#begun(counted);
    try {
      const output = await handle();
      this.#answered(counted, 200, took());
      const uploaded = Number(call.headers["x-amz-decoded-content-length"] ?? call.headers["content-length"]);
      if (counted.kind === "PutRequests" && uploaded > 0) bytes("BytesUploaded", uploaded);
      const { Body, ContentLength = 0 } = (output ?? {}) as {
        readonly Body?: unknown;
        readonly ContentLength?: number;
      };
      if (!(Body instanceof Readable)) {
        ended();
        return output;
      }
      // To ask for what it reads would set it going; that it has ended tells as much.
      Body.once("end", () => {
        bytes("BytesDownloaded", ContentLength);
        ended();
      });
      return output;
    } catch (error) {
      this.#answered(counted, error instanceof AwsError ? error.status : 500, took());
      ended();
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

  #recordFor({ bucket, concerned }: Counted, name: string, unit: string, value: number): void {
    const { account, region, name: BucketName } = bucket;
    for (const { Id: FilterId } of concerned)
      this.#sink
        ?.series({ account, region, namespace: "AWS/S3", name, unit, dimensions: { BucketName, FilterId } })
        .record(value, this.#clock.now());
  }
}
