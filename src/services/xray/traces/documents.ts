import type { Json } from "../segments/segment.ts";
import type { Trace } from "./trace.ts";

/** A document as it is shown: a segment with all that lies in it, or a subsegment whose parent is not there. */
export interface ShownDocument {
  readonly id: string;
  readonly document: string;
}

type Fields = { [name: string]: Json };

interface Part {
  readonly fields: Fields;
  /** The id of the document that it came in. */
  readonly top: string;
}

/** A part that lies deeper in its document gets nothing put into it. */
const MOST_NESTED = 32;
/** Documents within one another at most. With the above: what makes JSON of them has stack for some 2,000 levels. */
const MOST_JOINED = 32;

/**
 * The documents of a trace. Subsegments that were sent by themselves are shown where their `parent_id` says that they
 * belong, as in AWS: what a function's SDK sent lies within the segment that Lambda recorded.
 */
export function documentsOf(trace: Trace): readonly ShownDocument[] {
  if (!trace.hasLoose) return Array.from(trace.documents, ([id, document]) => ({ id, document }));
  const tops = new Map<string, Fields>();
  /** Every part by its id, with the document that it came in. */
  const parts = new Map<string, Part>();
  for (const [id, document] of trace.documents) {
    const top = JSON.parse(document) as Fields;
    tops.set(id, top);
    for (const fields of partsOf(top)) parts.set(text(fields["id"]), { fields, top: id });
  }
  const parents = new Map<string, Part>();
  for (const [id, top] of tops) {
    const parent = top["type"] === "subsegment" ? parts.get(text(top["parent_id"])) : undefined;
    if (parent !== undefined) parents.set(id, parent);
  }
  const joined = new Set([...parents.keys()].filter((id) => isShallow(id, parents)));
  for (const [id, { fields }] of parents) {
    const top = tops.get(id);
    if (top === undefined || !joined.has(id)) continue;
    for (const name of ["type", "trace_id", "parent_id"]) delete top[name];
    if (Array.isArray(fields["subsegments"])) fields["subsegments"].push(top);
    else fields["subsegments"] = [top];
  }
  return Array.from(tops)
    .filter(([id]) => !joined.has(id))
    .map(([id, top]) => ({ id, document: JSON.stringify(top) }));
}

/** Not so of parts that name each other as parents, either. */
function isShallow(id: string, parents: ReadonlyMap<string, Part>): boolean {
  let at = parents.get(id);
  for (let depth = 0; at !== undefined && depth < MOST_JOINED; depth++) at = parents.get(at.top);
  return at === undefined;
}

function* partsOf(fields: Fields, depth = 0): Generator<Fields> {
  yield fields;
  const { subsegments } = fields;
  if (!Array.isArray(subsegments) || depth === MOST_NESTED) return;
  for (const part of subsegments as readonly Json[])
    if (typeof part === "object" && part !== null && !Array.isArray(part))
      yield* partsOf(part as Fields, depth + 1);
}

function text(value: Json): string {
  return typeof value === "string" ? value : "";
}
