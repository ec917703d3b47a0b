import { AwsError } from "#core/errors";
import type { Member, Shape, StructureShape } from "../../schema/model.ts";
import { EventStreamError } from "./errors.ts";
import type { HeaderValue } from "./headers.ts";
import { encodeMessage } from "./message.ts";

/** How a protocol writes a structure as a document. */
export interface PayloadCodec {
  /** `application/json`, `application/xml`, `application/cbor`. */
  readonly contentType: string;
  /** Writes `value`, of `shape`, as a whole document. `skipped` names members that are written elsewhere. */
  encode(shape: Shape, value: unknown, skipped: ReadonlySet<string>): Uint8Array;
}

export interface EventStreamOptions {
  /** The union whose members are the events and the modelled errors. */
  readonly union: StructureShape;
  readonly codec: PayloadCodec;
  /** RPC protocols have no other place for an operation's members beside the stream: they go first, as an event. */
  readonly initialResponse?: {
    readonly shape: StructureShape;
    readonly value: object;
    readonly streamMember: string;
  };
  /** Told of an error that is not for the client to see, which it gets as an internal failure. */
  readonly onInternalError?: (error: unknown) => void;
}

/** An event as the official client types it: one member of the union, `{PayloadChunk: {Payload}}`. */
export type StreamEvent = Readonly<Record<string, unknown>>;

/**
 * Frames events as they come (Smithy, "Event stream serialization"): each is a message with `:message-type`,
 * `:event-type` and `:content-type`. A source that throws ends the stream with a message of its own: an exception
 * where the union has a member for the AwsError's code, else an error with code and text.
 */
export async function* encodeEventStream(
  events: AsyncIterable<StreamEvent>,
  options: EventStreamOptions,
): AsyncGenerator<Buffer> {
  const { union, codec, initialResponse } = options;
  if (initialResponse !== undefined) {
    const { shape, value, streamMember } = initialResponse;
    const body = codec.encode(shape, value, new Set([streamMember]));
    yield frame("event", "initial-response", codec.contentType, body);
  }
  try {
    for await (const event of events) yield encodeEvent(union, codec, event);
  } catch (error) {
    if (!(error instanceof AwsError)) options.onInternalError?.(error);
    yield encodeFailure(union, codec, error);
  }
}

function encodeEvent(union: StructureShape, codec: PayloadCodec, event: StreamEvent): Buffer {
  const [name, value] = Object.entries(event).find(([, present]) => present !== undefined) ?? [];
  const member = name === undefined ? undefined : union.members.get(name);
  if (member === undefined)
    throw new EventStreamError(`${union.name} has no event ${name ?? "in this object"}`);
  return encodeMember(member, codec, value, member.shape.traits.error === undefined ? "event" : "exception");
}

function encodeMember(
  member: Member,
  codec: PayloadCodec,
  value: unknown,
  type: "event" | "exception",
): Buffer {
  const { shape } = member;
  if (shape.kind !== "structure") throw new EventStreamError(`event ${member.name} is no structure`);
  const values = asRecord(value);
  const headers = new Map<string, HeaderValue>();
  const elsewhere = new Set<string>();
  let payload: Member | undefined;
  for (const field of shape.members.values()) {
    if (field.traits.eventPayload) payload = field;
    if (!field.traits.eventHeader) continue;
    elsewhere.add(field.name);
    const present = values[field.name];
    if (present !== undefined && present !== null) headers.set(field.name, headerValue(field, present));
  }
  if (payload === undefined)
    return frame(type, member.name, codec.contentType, codec.encode(shape, values, elsewhere), headers);
  const [contentType, body] = explicitPayload(payload, codec, values[payload.name]);
  return frame(type, member.name, contentType, body, headers);
}

/** A member with the eventPayload trait is the whole body: bytes and text as they are, structures as documents. */
function explicitPayload(
  member: Member,
  codec: PayloadCodec,
  value: unknown,
): readonly [contentType: string, body: Uint8Array] {
  switch (member.shape.kind) {
    case "blob":
      if (value === undefined || value === null) return ["application/octet-stream", Buffer.alloc(0)];
      if (value instanceof Uint8Array) return ["application/octet-stream", value];
      if (typeof value === "string") return ["application/octet-stream", Buffer.from(value)];
      throw new EventStreamError(`${member.name} must be bytes`);
    case "string":
      if (value !== undefined && value !== null && typeof value !== "string")
        throw new EventStreamError(`${member.name} must be text`);
      return ["text/plain", Buffer.from(value ?? "")];
    default:
      return [codec.contentType, codec.encode(member.shape, value ?? {}, new Set())];
  }
}

function headerValue(member: Member, value: unknown): HeaderValue {
  const { kind } = member.shape;
  if (kind === "boolean" && typeof value === "boolean") return { type: kind, value };
  if ((kind === "byte" || kind === "short" || kind === "integer") && typeof value === "number")
    return { type: kind, value };
  if (kind === "long" && (typeof value === "number" || typeof value === "bigint"))
    return { type: kind, value: BigInt(value) };
  if (kind === "string" && typeof value === "string") return { type: kind, value };
  if (kind === "blob" && value instanceof Uint8Array) return { type: "binary", value };
  if (kind === "timestamp" && value instanceof Date) return { type: kind, value: value.getTime() };
  throw new EventStreamError(`${member.name} cannot be an event header of type ${kind}`);
}

function encodeFailure(union: StructureShape, codec: PayloadCodec, error: unknown): Buffer {
  const known = error instanceof AwsError ? error : undefined;
  const member = known === undefined ? undefined : errorMember(union, known.code);
  if (known !== undefined && member !== undefined) {
    // Error shapes call their text `message` or `Message`; the codec writes the one that the shape has.
    const value = { message: known.message, Message: known.message, ...known.members };
    return encodeMember(member, codec, value, "exception");
  }
  const headers = new Map<string, HeaderValue>([
    [":message-type", { type: "string", value: "error" }],
    [":error-code", { type: "string", value: known?.code ?? "InternalFailure" }],
    [":error-message", { type: "string", value: known?.message ?? "An internal error occurred." }],
  ]);
  return encodeMessage({ headers, body: Buffer.alloc(0) });
}

function errorMember(union: StructureShape, code: string): Member | undefined {
  for (const member of union.members.values())
    if (member.shape.traits.error !== undefined && member.shape.name === code) return member;
  return undefined;
}

function frame(
  type: "event" | "exception",
  name: string,
  contentType: string,
  body: Uint8Array,
  own: ReadonlyMap<string, HeaderValue> = new Map(),
): Buffer {
  const headers = new Map<string, HeaderValue>([
    [":message-type", { type: "string", value: type }],
    [`:${type}-type`, { type: "string", value: name }],
    [":content-type", { type: "string", value: contentType }],
    ...own,
  ]);
  return encodeMessage({ headers, body });
}

function asRecord(value: unknown): Record<string, unknown> {
  if (typeof value !== "object" || value === null) throw new EventStreamError("an event must be an object");
  return value as Record<string, unknown>;
}
