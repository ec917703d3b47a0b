/** A JSON value of a segment document. */
export type Json =
  | string
  | number
  | boolean
  | null
  | undefined
  | readonly Json[]
  | { readonly [name: string]: Json };

/** An annotation's value; traces are searched by it. */
export type Annotation = string | number | boolean;

export interface SegmentHttp {
  readonly url: string | undefined;
  readonly method: string | undefined;
  readonly userAgent: string | undefined;
  readonly clientIp: string | undefined;
  readonly status: number | undefined;
}

/** What segments and subsegments have in common, read from a document that a client sent. */
export interface Timed {
  readonly id: string;
  readonly name: string;
  /** Seconds since the epoch. */
  readonly start: number;
  /** Undefined while it is in progress. */
  readonly end: number | undefined;
  readonly fault: boolean;
  readonly error: boolean;
  readonly throttle: boolean;
  readonly http: SegmentHttp | undefined;
  readonly annotations: ReadonlyMap<string, Annotation>;
  /** Messages and types of exceptions, where it has any. */
  readonly exceptions: readonly { readonly type: string | undefined; readonly message: string | undefined }[];
  readonly subsegments: readonly Subsegment[];
}

export interface Segment extends Timed {
  readonly kind: "segment";
  readonly traceId: string;
  /** The subsegment, of another service, that it answers. */
  readonly parentId: string | undefined;
  /** Such as `AWS::Lambda::Function`. */
  readonly origin: string | undefined;
  readonly user: string | undefined;
  readonly resourceArn: string | undefined;
  readonly instanceId: string | undefined;
  readonly availabilityZone: string | undefined;
  /** Span links of X-Ray: other traces that it belongs to. */
  readonly links: readonly string[];
}

export interface Subsegment extends Timed {
  readonly kind: "subsegment";
  /** Only of those that were sent by themselves: its trace and what it lies in. */
  readonly traceId: string | undefined;
  readonly parentId: string | undefined;
  /** `aws` for calls of AWS's services, `remote` for others. */
  readonly namespace: string | undefined;
  /** Of a call of AWS: the operation, and what resource it was about. */
  readonly operation: string | undefined;
  readonly resource: string | undefined;
}
