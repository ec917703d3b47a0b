import type { INamespace, Reader, Root, Type } from "protobufjs";
import type { Signal } from "./signals.ts";
import type { Fields } from "./values.ts";

type Row = readonly [number: number, type: string];

/** Fields of a message, `*` before the type of those that repeat. */
type Message = Readonly<Record<string, Row>>;

const TIMES = { startTimeUnixNano: [2, "fixed64"], timeUnixNano: [3, "fixed64"] } as const;

/**
 * What is read of opentelemetry-proto 1.x (`opentelemetry/proto/…/v1/*.proto`). Fields that are not here are skipped.
 */
const MESSAGES: Readonly<Record<string, Message>> = {
  Traces: { resourceSpans: [1, "*ResourceSpans"] },
  ResourceSpans: { resource: [1, "Resource"], scopeSpans: [2, "*ScopeSpans"] },
  ScopeSpans: { scope: [1, "Scope"], spans: [2, "*Span"] },
  Span: {
    traceId: [1, "bytes"],
    spanId: [2, "bytes"],
    parentSpanId: [4, "bytes"],
    name: [5, "string"],
    kind: [6, "int32"],
    startTimeUnixNano: [7, "fixed64"],
    endTimeUnixNano: [8, "fixed64"],
    attributes: [9, "*KeyValue"],
    events: [11, "*Event"],
    links: [13, "*Link"],
    status: [15, "Status"],
    flags: [16, "fixed32"],
  },
  Event: { timeUnixNano: [1, "fixed64"], name: [2, "string"], attributes: [3, "*KeyValue"] },
  Link: { traceId: [1, "bytes"], spanId: [2, "bytes"], attributes: [4, "*KeyValue"] },
  Status: { message: [2, "string"], code: [3, "int32"] },
  Logs: { resourceLogs: [1, "*ResourceLogs"] },
  ResourceLogs: { resource: [1, "Resource"], scopeLogs: [2, "*ScopeLogs"] },
  ScopeLogs: { scope: [1, "Scope"], logRecords: [2, "*LogRecord"] },
  LogRecord: {
    timeUnixNano: [1, "fixed64"],
    severityNumber: [2, "int32"],
    severityText: [3, "string"],
    body: [5, "AnyValue"],
    attributes: [6, "*KeyValue"],
    flags: [8, "fixed32"],
    traceId: [9, "bytes"],
    spanId: [10, "bytes"],
    observedTimeUnixNano: [11, "fixed64"],
  },
  Metrics: { resourceMetrics: [1, "*ResourceMetrics"] },
  ResourceMetrics: { resource: [1, "Resource"], scopeMetrics: [2, "*ScopeMetrics"] },
  ScopeMetrics: { scope: [1, "Scope"], metrics: [2, "*Metric"] },
  Metric: {
    name: [1, "string"],
    unit: [3, "string"],
    gauge: [5, "Data"],
    sum: [7, "Data"],
    histogram: [9, "Spread"],
    exponentialHistogram: [10, "ExponentialSpread"],
    summary: [11, "Totals"],
  },
  Data: { dataPoints: [1, "*Point"], aggregationTemporality: [2, "int32"], isMonotonic: [3, "bool"] },
  Point: { ...TIMES, asDouble: [4, "double"], asInt: [6, "sfixed64"], attributes: [7, "*KeyValue"] },
  Spread: { dataPoints: [1, "*SpreadPoint"], aggregationTemporality: [2, "int32"] },
  SpreadPoint: {
    ...TIMES,
    count: [4, "fixed64"],
    sum: [5, "double"],
    attributes: [9, "*KeyValue"],
    min: [11, "double"],
    max: [12, "double"],
  },
  Totals: { dataPoints: [1, "*TotalsPoint"] },
  TotalsPoint: {
    ...TIMES,
    count: [4, "fixed64"],
    sum: [5, "double"],
    attributes: [7, "*KeyValue"],
  },
  ExponentialSpread: { dataPoints: [1, "*ExponentialPoint"], aggregationTemporality: [2, "int32"] },
  ExponentialPoint: {
    ...TIMES,
    attributes: [1, "*KeyValue"],
    count: [4, "fixed64"],
    sum: [5, "double"],
    min: [12, "double"],
    max: [13, "double"],
  },
  Resource: { attributes: [1, "*KeyValue"] },
  Scope: { name: [1, "string"], version: [2, "string"] },
  KeyValue: { key: [1, "string"], value: [2, "AnyValue"] },
  AnyValue: {
    stringValue: [1, "string"],
    boolValue: [2, "bool"],
    intValue: [3, "int64"],
    doubleValue: [4, "double"],
    arrayValue: [5, "Values"],
    kvlistValue: [6, "KeyValues"],
    bytesValue: [7, "bytes"],
  },
  Values: { values: [1, "*AnyValue"] },
  KeyValues: { values: [1, "*KeyValue"] },
  Answer: { partialSuccess: [1, "PartialSuccess"] },
  PartialSuccess: { rejected: [1, "int64"], errorMessage: [2, "string"] },
};

const REQUESTS: Readonly<Record<Signal, string>> = { traces: "Traces", metrics: "Metrics", logs: "Logs" };

/** As of JSON's values: two bytes make a message, and some hundred of this process's memory. */
const MOST_MESSAGES = 500_000;
const MOST_NESTED = 100;
/** Protobuf's wire type of what has a length. */
const WITH_LENGTH = 2;

/** OTLP in protobuf's binary form. */
export class BinaryForm {
  readonly #root: Root;
  readonly #reader: (bytes: Uint8Array) => Reader;

  private constructor(root: Root, reader: (bytes: Uint8Array) => Reader) {
    this.#root = root;
    this.#reader = reader;
  }

  /** Loads the library, which a platform that is sent nothing in this form never needs. */
  static async load(): Promise<BinaryForm> {
    const { default: protobuf } = await import("protobufjs/light.js");
    const root = protobuf.Root.fromJSON(description());
    root.resolveAll();
    return new BinaryForm(root, (bytes) => protobuf.Reader.create(bytes));
  }

  /** @throws Error where the bytes are no such message, or one of more messages than are read at once */
  read(signal: Signal, body: Buffer): Fields {
    const type = this.#root.lookupType(REQUESTS[signal]);
    if (countMessages(type, this.#reader(body), body.length, 0) > MOST_MESSAGES)
      throw new RangeError("too many messages");
    return plain(type, type.decode(body));
  }

  writeAnswer(rejected: number, errorMessage: string): Buffer {
    if (rejected === 0) return Buffer.alloc(0);
    const type = this.#root.lookupType("Answer");
    return Buffer.from(type.encode(type.fromObject({ partialSuccess: { rejected, errorMessage } })).finish());
  }
}

/** How many messages there are in one, where that is not beyond what is read; none of them is made. */
function countMessages(type: Type, reader: Reader, end: number, depth: number): number {
  if (depth > MOST_NESTED) throw new RangeError("too deeply nested");
  let count = 0;
  while (reader.pos < end && count <= MOST_MESSAGES) {
    const tag = reader.uint32();
    const resolved = type.fieldsById[tag >>> 3]?.resolvedType;
    if ((tag & 7) !== WITH_LENGTH || !isMessage(resolved)) {
      reader.skipType(tag & 7);
      continue;
    }
    const length = reader.uint32();
    if (reader.pos + length > end) throw new RangeError("a message ends too late");
    count += 1 + countMessages(resolved, reader, reader.pos + length, depth + 1);
  }
  return count;
}

/** No enumeration is described. */
function isMessage(type: object | null | undefined): type is Type {
  return type !== null && type !== undefined && "fieldsById" in type;
}

function plain(type: Type, message: ReturnType<Type["decode"]>): Fields {
  return type.toObject(message, { longs: String });
}

function description(): INamespace {
  return {
    nested: Object.fromEntries(
      Object.entries(MESSAGES).map(([name, message]) => [
        name,
        {
          fields: Object.fromEntries(
            Object.entries(message).map(([field, [id, type]]) => [
              field,
              type.startsWith("*") ? { id, type: type.slice(1), rule: "repeated" } : { id, type },
            ]),
          ),
        },
      ]),
    ),
  };
}
