import type { Trace } from "@aws-sdk/client-xray";

/** A segment or subsegment of a trace, with what lies in it. All text is as its sender wrote it. */
export interface Span {
  readonly id: string;
  readonly name: string;
  /** Of a segment, such as `AWS::Lambda::Function`; of a call, its namespace. */
  readonly kind: string | undefined;
  /** Of a call of AWS, such as `PutItem`. */
  readonly operation: string | undefined;
  /** Epoch milliseconds. */
  readonly start: number;
  /** Undefined while it is in progress. */
  readonly end: number | undefined;
  readonly error: boolean;
  readonly fault: boolean;
  readonly throttle: boolean;
  /** Of HTTP. */
  readonly status: number | undefined;
  readonly exceptions: readonly { readonly type: string; readonly message: string }[];
  /** Of a segment of Lambda's own: the request that it tells of, and its function's ARN. */
  readonly requestId: string | undefined;
  readonly resourceArn: string | undefined;
  readonly children: Span[];
}

type Json = Readonly<Record<string, unknown>>;

/** The segments of a trace in the order of their calls: those that nothing else in it calls, with their children. */
export function spansOf({ Segments = [] }: Pick<Trace, "Segments">): Span[] {
  const found = new Map<string, { readonly span: Span; readonly parentId: string | undefined }>();
  for (const { Document = "" } of Segments) read(parse(Document), undefined, found);
  const roots: Span[] = [];
  for (const { span, parentId } of found.values()) {
    const parent = parentId === undefined ? undefined : found.get(parentId);
    if (parent === undefined || leadsTo(span.id, parentId, found)) roots.push(span);
    else parent.span.children.push(span);
  }
  for (const { span } of found.values()) span.children.sort(byStart);
  return roots.toSorted(byStart);
}

type Found = Map<string, { readonly span: Span; readonly parentId: string | undefined }>;

/** Whether a chain of parents comes back to where it began: what clients send need not be a tree. */
function leadsTo(id: string, from: string | undefined, found: Found): boolean {
  const passed = new Set<string>();
  for (let at = from; at !== undefined && !passed.has(at); at = found.get(at)?.parentId) {
    if (at === id) return true;
    passed.add(at);
  }
  return false;
}

function read(document: Json, within: string | undefined, found: Found): void {
  const waiting: [Json, string | undefined][] = [[document, within]];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    const [json, parent] = next;
    const span = spanOf(json);
    // Of one that was sent again as it went on, what was sent last holds.
    if (span === undefined) continue;
    found.set(span.id, { span, parentId: parent ?? text(json["parent_id"]) });
    for (const part of list(json["subsegments"])) waiting.push([object(part), span.id]);
  }
}

function spanOf(json: Json): Span | undefined {
  const id = text(json["id"]);
  const start = json["start_time"];
  if (id === undefined || typeof start !== "number") return undefined;
  const aws = object(json["aws"]);
  const end = json["end_time"];
  const { status } = object(object(json["http"])["response"]);
  return {
    id,
    name: text(json["name"]) ?? "",
    kind: text(json["origin"]) ?? text(json["namespace"]),
    operation: text(aws["operation"]),
    start: start * 1000,
    end: typeof end === "number" ? end * 1000 : undefined,
    error: json["error"] === true,
    fault: json["fault"] === true,
    throttle: json["throttle"] === true,
    status: typeof status === "number" ? status : undefined,
    exceptions: list(object(json["cause"])["exceptions"]).map((each) => {
      const { type, message } = object(each);
      return { type: text(type) ?? "", message: text(message) ?? "" };
    }),
    requestId: text(aws["request_id"]),
    resourceArn: text(json["resource_arn"]),
    children: [],
  };
}

function byStart(a: Span, b: Span): number {
  return a.start - b.start || (b.end ?? Infinity) - (a.end ?? Infinity);
}

function parse(document: string): Json {
  try {
    return object(JSON.parse(document));
  } catch {
    return {};
  }
}

function object(value: unknown): Json {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Json) : {};
}

function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function text(value: unknown): string | undefined {
  return typeof value === "string" ? value : undefined;
}
