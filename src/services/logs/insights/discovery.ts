import { valueWithin, type Value, type ValueMap } from "./values.ts";

/** Fields of one JSON event at most ("Supported logs and discovered fields"). */
const MOST_FIELDS = 200;

/** What a message shows of its own accord: members of a JSON object, or what Lambda's own lines tell. */
export function discover(message: string): Discovered {
  if (/^\s*\{/u.test(message)) {
    try {
      return new JsonFields(JSON.parse(message) as ValueMap);
    } catch {
      // Text that begins like JSON.
    }
  }
  return lambdaFields(message);
}

export interface Discovered {
  get(field: string): Value;
  /** Members of members by their paths. */
  names(): Iterable<string>;
}

/** Members by their path, `user.name` or `items.0.id`; looked up when asked for, because most are not. */
class JsonFields implements Discovered {
  readonly #document: ValueMap;
  #flat: Map<string, Value> | undefined;

  constructor(document: ValueMap) {
    this.#document = document;
  }

  get(field: string): Value {
    if (Object.hasOwn(this.#document, field)) return this.#document[field];
    const braces = field.endsWith("{}") ? field.slice(0, -2) : undefined;
    if (braces !== undefined)
      return Object.hasOwn(this.#document, braces) ? this.#document[braces] : undefined;
    if (!field.includes(".")) return undefined;
    return this.#paths.get(field) ?? valueWithin(this.#document, field.split("."));
  }

  names(): Iterable<string> {
    return this.#paths.keys();
  }

  get #paths(): Map<string, Value> {
    this.#flat ??= flatten(this.#document);
    return this.#flat;
  }
}

function flatten(document: ValueMap): Map<string, Value> {
  const flat = new Map<string, Value>();
  const waiting: [prefix: string, value: object][] = [["", document]];
  for (let next = waiting.pop(); next !== undefined && flat.size < MOST_FIELDS; next = waiting.pop()) {
    const [prefix, value] = next;
    for (const [name, member] of Object.entries(value) as [string, Value][]) {
      if (flat.size >= MOST_FIELDS) break;
      if (typeof member === "object" && member !== null) waiting.push([`${prefix}${name}.`, member]);
      else flat.set(`${prefix}${name}`, member);
    }
  }
  return flat;
}

class MapFields implements Discovered {
  readonly #fields: Readonly<Record<string, Value>>;

  constructor(fields: Readonly<Record<string, Value>>) {
    this.#fields = fields;
  }

  get(field: string): Value {
    return Object.hasOwn(this.#fields, field) ? this.#fields[field] : undefined;
  }

  names(): Iterable<string> {
    return Object.keys(this.#fields);
  }
}

const NONE = new MapFields({});

/** Of `REPORT` lines; durations in milliseconds, sizes in bytes as the console shows them: MB times 1,000,000. */
const REPORT_FIELDS: readonly (readonly [field: string, label: string, factor: number])[] = [
  ["@duration", "Duration", 1],
  ["@billedDuration", "Billed Duration", 1],
  ["@memorySize", "Memory Size", 1e6],
  ["@maxMemoryUsed", "Max Memory Used", 1e6],
  ["@initDuration", "Init Duration", 1],
  ["@restoreDuration", "Restore Duration", 1],
];

const REQUEST_ID = /\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b/u;

/** "Discovered fields" of Lambda logs: `@type`, `@requestId`, and what REPORT lines tell. */
function lambdaFields(message: string): Discovered {
  const requestId = REQUEST_ID.exec(message)?.[0];
  if (requestId === undefined) return NONE;
  const type = /^(START|END|REPORT) RequestId: /u.exec(message)?.[1];
  const fields: Record<string, Value> = { "@requestId": requestId };
  if (type !== undefined) fields["@type"] = type;
  if (type !== "REPORT") return new MapFields(fields);
  const parts = new Map(
    message.split(/\t|\n/u).map((part) => {
      const colon = part.indexOf(": ");
      return [part.slice(0, colon), part.slice(colon + 2)] as const;
    }),
  );
  for (const [field, label, factor] of REPORT_FIELDS) {
    const number = Number.parseFloat(parts.get(label) ?? "");
    if (Number.isFinite(number)) fields[field] = number * factor;
  }
  for (const [field, label] of [
    ["@xrayTraceId", "XRAY TraceId"],
    ["@xraySegmentId", "SegmentId"],
    ["@status", "Status"],
    ["@errorType", "Error Type"],
  ] as const) {
    const text = parts.get(label)?.trim();
    if (text !== undefined && text !== "") fields[field] = text;
  }
  return new MapFields(fields);
}
