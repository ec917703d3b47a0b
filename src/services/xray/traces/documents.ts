import type { Json } from "../segments/segment.ts";
import type { Trace } from "./trace.ts";

/** A document as it is shown: a segment with all that lies in it, or a subsegment whose parent is not there. */
export interface ShownDocument {
  readonly id: string;
  readonly document: string;
}

type Fields = { [name: string]: Json };

/** Deeper than any document that is taken: a part that lies deeper gets nothing put into it. */
const MOST_NESTED = 64;

/**
 * The documents of a trace. Subsegments that were sent by themselves are shown where their `parent_id` says that they
 * belong, as in AWS: what a function's SDK sent lies within the segment that Lambda recorded.
 */
export function documentsOf(trace: Trace): readonly ShownDocument[] {
  if (!trace.hasLoose) return Array.from(trace.documents, ([id, document]) => ({ id, document }));
  const tops = new Map<string, Fields>();
  /** Every part by its id, with the document that it came in. */
  const parts = new Map<string, { readonly fields: Fields; readonly top: string }>();
  for (const [id, document] of trace.documents) {
    const top = JSON.parse(document) as Fields;
    tops.set(id, top);
    for (const fields of partsOf(top)) parts.set(text(fields["id"]), { fields, top: id });
  }
  const joined = new Map<string, string>();
  const shownIn = (id: string): string => {
    let at = id;
    for (let next = joined.get(at); next !== undefined; next = joined.get(at)) at = next;
    return at;
  };
  for (const [id, top] of tops) {
    if (top["type"] !== "subsegment") continue;
    const parent = parts.get(text(top["parent_id"]));
    // Parts that name each other as parents stay by themselves.
    if (parent === undefined || shownIn(parent.top) === id) continue;
    for (const name of ["type", "trace_id", "parent_id"]) delete top[name];
    const { subsegments } = parent.fields;
    parent.fields["subsegments"] = [...(Array.isArray(subsegments) ? (subsegments as Json[]) : []), top];
    joined.set(id, parent.top);
  }
  return Array.from(tops)
    .filter(([id]) => !joined.has(id))
    .map(([id, top]) => ({ id, document: JSON.stringify(top) }));
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
