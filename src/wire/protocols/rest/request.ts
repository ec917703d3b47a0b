import type { Readable } from "node:stream";
import { serializationFailure } from "../json/failures.ts";
import type { Member, OperationModel } from "../../schema/model.ts";
import type { WireRequest } from "../protocol.ts";
import { bindingsOf } from "./bindings.ts";
import { headerReader } from "./headers.ts";
import { textReader } from "./text.ts";
import { decodeUriPart, parseQuery, parseUriTemplate, splitPath } from "./uri.ts";

/** How one REST protocol reads bodies; both methods compile once an operation. */
export interface BodyReaders {
  /** The document that holds `members`. */
  document(operation: OperationModel, members: readonly Member[]): (body: Buffer) => Record<string, unknown>;
  /** A structure, union or document that is the whole body. */
  payload(member: Member): (body: Buffer) => unknown;
}

type Input = Record<string, unknown>;
type Step = (input: Input, request: WireRequest) => void;

/** Makes the reader of an operation's requests: only the bindings that the operation has cost anything. */
export function compileRequestReader(
  operation: OperationModel,
  bodies: BodyReaders,
): (request: WireRequest) => Input {
  const bindings = bindingsOf(operation.input);
  const steps: Step[] = [];
  if (bindings.labels.length > 0) steps.push(labelStep(operation, bindings.labels));
  if (bindings.query.length > 0 || bindings.queryParams !== undefined)
    steps.push(queryStep(operation, bindings.query, bindings.queryParams));
  for (const member of bindings.headers) steps.push(headerStep(member));
  for (const member of bindings.prefixHeaders) steps.push(prefixHeadersStep(member));
  if (bindings.payload !== undefined) steps.push(payloadStep(bindings.payload, bodies));
  else if (bindings.body.length > 0) {
    const read = bodies.document(operation, bindings.body);
    steps.push((input, { body }) => Object.assign(input, read(body as Buffer)));
  }
  return (request) => {
    const input: Input = {};
    for (const step of steps) step(input, request);
    return input;
  };
}

function labelStep(operation: OperationModel, members: readonly Member[]): Step {
  const { segments } = parseUriTemplate(operation.http?.uri ?? "/");
  const greedyAt = segments.findIndex(({ kind }) => kind === "greedy");
  const labels = members.map((member) => {
    const at = segments.findIndex((segment) => segment.kind !== "literal" && segment.name === member.name);
    // Counted from the end where the greedy label is before it.
    const fromEnd = greedyAt !== -1 && at > greedyAt ? segments.length - at : 0;
    return { name: member.name, at, fromEnd, read: textReader(member, "date-time") };
  });
  const afterGreedy = segments.length - greedyAt - 1;
  return (input, { path }) => {
    const parts = splitPath(path);
    for (const { name, at, fromEnd, read } of labels) {
      const raw =
        at === greedyAt
          ? parts.slice(at, parts.length - afterGreedy).join("/")
          : (parts[fromEnd === 0 ? at : parts.length - fromEnd] ?? "");
      input[name] = read(decoded(raw));
    }
  };
}

function queryStep(operation: OperationModel, members: readonly Member[], rest: Member | undefined): Step {
  const readers = new Map(members.map((member) => [member.traits.httpQuery ?? "", parameterReader(member)]));
  const literals = new Set(parseUriTemplate(operation.http?.uri ?? "/").query.map(([name]) => name));
  const restOfLists = rest?.shape.kind === "map" && rest.shape.value.shape.kind === "list";
  return (input, { query }) => {
    if (query === "") return;
    const parameters = parseQuery(query);
    if (parameters === undefined) throw serializationFailure();
    const others = new Map<string, unknown>();
    for (const [name, value] of parameters) {
      const reader = readers.get(name);
      if (reader !== undefined) reader(input, value);
      else if (rest === undefined || literals.has(name)) continue;
      else if (restOfLists) others.set(name, [...((others.get(name) as string[] | undefined) ?? []), value]);
      else if (!others.has(name)) others.set(name, value);
    }
    if (rest !== undefined && others.size > 0) input[rest.name] = Object.fromEntries(others);
  };
}

/** A list gathers every occurrence of its parameter; anything else takes the last. */
function parameterReader(member: Member): (input: Input, value: string) => void {
  const { name, shape } = member;
  if (shape.kind !== "list") {
    const read = textReader(member, "date-time");
    return (input, value) => {
      input[name] = read(value);
    };
  }
  const read = textReader(shape.member, "date-time");
  return (input, value) => {
    const known = input[name];
    if (Array.isArray(known)) known.push(read(value));
    else input[name] = [read(value)];
  };
}

function headerStep(member: Member): Step {
  const { name } = member;
  const header = (member.traits.httpHeader ?? "").toLowerCase();
  const read = headerReader(member);
  return (input, { headers }) => {
    const value = headers[header];
    if (value !== undefined) input[name] = read(value);
  };
}

function prefixHeadersStep(member: Member): Step {
  const prefix = (member.traits.httpPrefixHeaders ?? "").toLowerCase();
  return (input, { headers }) => {
    const found: [string, string][] = [];
    for (const [name, value] of Object.entries(headers))
      if (value !== undefined && name.startsWith(prefix)) found.push([name.slice(prefix.length), value]);
    if (found.length > 0) input[member.name] = Object.fromEntries(found);
  };
}

function payloadStep(member: Member, bodies: BodyReaders): Step {
  const { name, shape, traits } = member;
  if (shape.kind === "blob")
    return (input, { body }) => {
      if (!isEmpty(body)) input[name] = body;
    };
  if (shape.kind === "string")
    return (input, { body }) => {
      if (!isEmpty(body)) input[name] = (body as Buffer).toString("utf8");
    };
  if (traits.streaming || shape.kind === "list" || shape.kind === "map")
    throw new Error(`cannot read payload ${name}`);
  const read = bodies.payload(member);
  return (input, { body }) => {
    if (!isEmpty(body)) input[name] = read(body as Buffer);
  };
}

function isEmpty(body: Buffer | Readable): boolean {
  return Buffer.isBuffer(body) && body.length === 0;
}

function decoded(text: string): string {
  const value = decodeUriPart(text);
  if (value === undefined) throw serializationFailure();
  return value;
}
