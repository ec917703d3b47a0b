import type { TraceLink } from "#engine/contract";
import { parseTraceHeader } from "#engine/invocation/trace-header";

/** "Each trace can be linked to up to 20 other traces" (X-Ray developer guide, "Tracing event-driven applications"). */
const MOST_LINKS = 20;

export interface BatchTrace {
  /** Without a trace id: a batch begins a trace of its own. Undefined where its records tell of none. */
  readonly header: string | undefined;
  /** The traces that its records belong to and that are recorded. */
  readonly links: readonly TraceLink[];
}

/**
 * What a batch of records says about traces. AWS runs the function in a new trace, linked to those of the messages ("Tracing
 * event-driven applications"); it is recorded where one of those is, and left to the function where none is decided.
 * @param lineage of the chain that the batch continues: the header that tells it
 */
export function traceOfBatch(
  headers: readonly (string | undefined)[],
  lineage: string | undefined,
): BatchTrace {
  const given = headers.flatMap((header) => (header === undefined ? [] : [parseTraceHeader(header)]));
  const links = new Map<string, TraceLink>();
  for (const { root, parent, sampled } of given)
    if (sampled === true && root !== undefined && links.size < MOST_LINKS)
      links.set(`${root} ${parent ?? ""}`, {
        trace_id: root,
        ...(parent === undefined ? {} : { id: parent }),
      });
  const decided = given.map(({ sampled }) => sampled).filter((sampled) => sampled !== undefined);
  const others = lineage === undefined ? [] : parseTraceHeader(lineage).others;
  const parts = decided.length === 0 ? others : [`Sampled=${decided.includes(true) ? 1 : 0}`, ...others];
  return { header: parts.length === 0 ? undefined : parts.join(";"), links: [...links.values()] };
}
