import type { Member, StructureShape } from "../../schema/model.ts";
import { encodeEventStream, type PayloadCodec, type StreamEvent } from "../event-stream/event-stream.ts";
import type { WireResponse } from "../protocol.ts";
import { bindingsOf } from "./bindings.ts";
import { headerWriter } from "./headers.ts";

type Output = Readonly<Record<string, unknown>>;
type Headers = Record<string, string>;

/** How one REST protocol writes bodies; both methods compile once a shape. */
export interface BodyWriters {
  readonly contentType: string;
  document(shape: StructureShape, members: readonly Member[]): (output: Output) => string;
  payload(member: Member): (value: unknown) => string;
  /** What to answer where an output has no members in its body: `{}` or nothing. */
  readonly emptyDocument: string | undefined;
  /** How events are written; undefined where the protocol's event streams are not built. */
  readonly events: PayloadCodec | undefined;
}

/** Makes the writer of an output's or error's responses, without the request id. */
export function compileResponseWriter(
  shape: StructureShape,
  status: number,
  bodies: BodyWriters,
): (output: Output) => { status: number; headers: Headers; body: WireResponse["body"] } {
  const bindings = bindingsOf(shape);
  const headerWriters = bindings.headers.map((member) => ({
    name: member.name,
    header: (member.traits.httpHeader ?? "").toLowerCase(),
    write: headerWriter(member),
  }));
  const writeBody = bodyWriter(shape, bindings.payload, bindings.body, bodies);
  const statusName = bindings.statusCode?.name;
  return (output) => {
    const headers: Headers = {};
    for (const { name, header, write } of headerWriters) {
      const value = output[name];
      if (value !== undefined && value !== null) headers[header] = write(value);
    }
    for (const member of bindings.prefixHeaders) writePrefixHeaders(member, output[member.name], headers);
    const own = statusName === undefined ? undefined : output[statusName];
    const actual = typeof own === "number" ? own : status;
    const body = actual === 204 || actual === 304 ? undefined : writeBody(output, headers);
    return { status: actual, headers, body };
  };
}

function bodyWriter(
  shape: StructureShape,
  payload: Member | undefined,
  members: readonly Member[],
  bodies: BodyWriters,
): (output: Output, headers: Headers) => WireResponse["body"] {
  if (payload !== undefined) return payloadWriter(payload, bodies);
  if (members.length === 0 && bodies.emptyDocument === undefined) return () => undefined;
  const write = bodies.document(shape, members);
  return (output, headers) => {
    headers["content-type"] ??= bodies.contentType;
    return write(output);
  };
}

function payloadWriter(
  member: Member,
  bodies: BodyWriters,
): (output: Output, headers: Headers) => WireResponse["body"] {
  const { name, shape, traits } = member;
  if (shape.kind === "blob" || shape.kind === "string") {
    const type = traits.mediaType ?? (shape.kind === "blob" ? "application/octet-stream" : "text/plain");
    return (output, headers) => {
      const value = output[name];
      if (value === undefined || value === null) return undefined;
      headers["content-type"] ??= type;
      return rawBody(value);
    };
  }
  if (traits.streaming && shape.kind === "union") {
    const { events: codec } = bodies;
    return (output, headers) => {
      if (codec === undefined) throw new Error(`the events of ${shape.name} cannot be written`);
      headers["content-type"] ??= "application/vnd.amazon.eventstream";
      return encodeEventStream(output[name] as AsyncIterable<StreamEvent>, { union: shape, codec });
    };
  }
  const write = bodies.payload(member);
  return (output, headers) => {
    const value = output[name];
    if (value === undefined || value === null) return undefined;
    headers["content-type"] ??= bodies.contentType;
    return write(value);
  };
}

/** Bytes as Buffer without a copy; streams as they are. */
function rawBody(value: unknown): WireResponse["body"] {
  if (value instanceof Uint8Array && !Buffer.isBuffer(value))
    return Buffer.from(value.buffer, value.byteOffset, value.byteLength);
  return value as WireResponse["body"];
}

function writePrefixHeaders(member: Member, value: unknown, headers: Headers): void {
  if (typeof value !== "object" || value === null) return;
  const prefix = (member.traits.httpPrefixHeaders ?? "").toLowerCase();
  for (const [name, entry] of Object.entries(value))
    headers[`${prefix}${name.toLowerCase()}`] = String(entry);
}
