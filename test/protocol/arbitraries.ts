import * as fc from "fast-check";
import type { Member, ProtocolName, Shape, StructureShape } from "#wire/schema/model";

/** What values a protocol can carry without loss; the limits are the protocol's, not this implementation's. */
interface Carriage {
  readonly protocol: ProtocolName;
  readonly depth: number;
}

const maxDepth = 4;

/** Text that every protocol must carry: markup, quotes, escapes, and letters of two to four bytes. */
const awkward = fc.constantFrom(
  "&",
  "<",
  ">",
  '"',
  "'",
  "%",
  "+",
  "=",
  "/",
  " ",
  "é",
  "漢",
  "😀",
  "a",
  "Z",
  "0",
  ".",
  ":",
);

/** Values of an operation's input or output. */
export function valuesOf(
  shape: StructureShape,
  protocol: ProtocolName,
): fc.Arbitrary<Record<string, unknown>> {
  const values = structure(shape, { protocol, depth: 0 });
  if (protocol !== "query" || shape.name !== "ReceiveMessageRequest") return values;
  // SQS's query form names both lists of attribute names alike; the older list is the one that its clients know.
  return values.map(({ MessageSystemAttributeNames: _ambiguous, ...others }) => others);
}

function structure(shape: StructureShape, carriage: Carriage): fc.Arbitrary<Record<string, unknown>> {
  const members = [...shape.members.values()].filter(
    ({ shape: inner, traits }) => !isEventStream(inner, traits),
  );
  const inner = { ...carriage, depth: carriage.depth + 1 };
  if (shape.kind === "union")
    return fc
      .constantFrom(...members.filter(({ shape: { kind } }) => carriage.depth < maxDepth || isFlat(kind)))
      .chain((member) => value(member, inner).map((held) => ({ [member.name]: held })));
  const carried = members.filter(
    (member) => member.required || carriage.depth < maxDepth || isFlat(member.shape.kind),
  );
  // Clients fill in missing tokens, and without a payload there may be no body to tell an output from none.
  const always = carried.filter((member) => isAlways(member)).map(({ name }) => name);
  return fc.record(Object.fromEntries(carried.map((member) => [member.name, value(member, inner)])), {
    requiredKeys: always,
  });
}

function isFlat(kind: Shape["kind"]): boolean {
  return !["structure", "union", "list", "map"].includes(kind);
}

function isAlways({ required, traits }: Member): boolean {
  // Every response with a body has a type, whether the output names it or not.
  if (traits.httpHeader === "Content-Type") return true;
  return (
    required ||
    [traits.idempotencyToken, traits.httpLabel, traits.httpPayload, traits.httpResponseCode].includes(true)
  );
}

function isEventStream(shape: Shape, traits: Member["traits"]): boolean {
  return shape.kind === "union" && (traits.streaming ?? shape.traits.streaming) === true;
}

function value(member: Member, carriage: Carriage): fc.Arbitrary<unknown> {
  const { traits, shape } = member;
  if (traits.httpResponseCode) return fc.constantFrom(200, 202);
  if (traits.httpLabel && shape.kind === "string")
    return member.name === "Bucket" ? fc.constantFrom("bucket", "a-bucket.with.dots") : text(1);
  // Part of the host name.
  if (member.name === "RequestRoute") return fc.constant("route");
  if (traits.httpHeader !== undefined || traits.httpPrefixHeaders !== undefined)
    return headerValue(member, carriage);
  if (traits.httpQuery !== undefined || traits.httpQueryParams)
    return ofShape(member, { ...carriage, protocol: "query" });
  return ofShape(member, carriage);
}

/** Header values are visible ASCII without spaces at their ends. */
function headerValue({ shape, traits }: Member, carriage: Carriage): fc.Arbitrary<unknown> {
  const token = fc.string({
    unit: fc.constantFrom("a", "Z", "9", "-", "_", "/", "+"),
    minLength: 1,
    maxLength: 12,
  });
  if (shape.kind === "string") return token;
  if (shape.kind === "list")
    return fc.array(headerValue(shape.member, carriage), { minLength: 1, maxLength: 3 });
  if (shape.kind === "map")
    return fc.dictionary(fc.stringMatching(/^[a-z]{1,6}$/), token, { minKeys: 1, maxKeys: 3 });
  if (shape.kind === "timestamp")
    return timestamp(
      (traits.timestampFormat ?? "http-date") === "http-date" || carriage.protocol === "rest-xml",
    );
  return ofShape({ shape, traits } as Member, carriage);
}

/** Query and XML have no way to tell an empty list or text from none. */
function tellsEmpty(protocol: ProtocolName): boolean {
  return protocol.includes("json") || protocol === "rpcv2-cbor";
}

function text(minLength: number): fc.Arbitrary<string> {
  return fc
    .string({ unit: awkward, minLength, maxLength: 12 })
    .filter(
      (value) => value === value.trim() && value.length >= minLength && value !== "." && value !== "..",
    );
}

function timestamp(wholeSeconds: boolean): fc.Arbitrary<Date> {
  return fc
    .integer({ min: 0, max: 4_102_444_800_000 })
    .map((ms) => new Date(wholeSeconds ? Math.floor(ms / 1000) * 1000 : ms));
}

function ofShape({ shape, traits }: Member, carriage: Carriage): fc.Arbitrary<unknown> {
  const inner = { ...carriage, depth: carriage.depth + 1 };
  const minLength = tellsEmpty(carriage.protocol) ? 0 : 1;
  switch (shape.kind) {
    case "structure":
    case "union":
      return structure(shape, carriage);
    case "list":
      return fc.array(ofShape(shape.member, inner), { minLength, maxLength: 3 });
    case "map":
      return fc.dictionary(text(1), ofShape(shape.value, inner), {
        minKeys: minLength,
        maxKeys: 3,
        noNullPrototype: true,
      });
    case "string":
      return text(minLength);
    case "boolean":
      return fc.boolean();
    case "byte":
      return fc.integer({ min: -128, max: 127 });
    case "short":
      return fc.integer({ min: -32_768, max: 32_767 });
    case "integer":
      return fc.integer();
    case "long":
      return fc.maxSafeInteger();
    case "float":
      return fc.float({ noNaN: true, noDefaultInfinity: true }).filter((number) => !Object.is(number, -0));
    case "double":
      return fc.double({ noNaN: true, noDefaultInfinity: true }).filter((number) => !Object.is(number, -0));
    case "blob":
      return fc.uint8Array({ minLength: 1, maxLength: 40 });
    case "timestamp":
      return timestamp(traits.timestampFormat === "http-date" || !tellsEmpty(carriage.protocol));
    case "document":
      return fc.jsonValue({ maxDepth: 2 }).filter((document) => document !== null);
    default:
      throw new Error("no service here has numbers of unlimited size");
  }
}
