import { setImmediate as nextTurn } from "node:timers/promises";
import type { DocumentKey, DocumentPrefix, Documents } from "#storage/documents";
import { type KnownMetric, knownMetric, type MetricDocument } from "./metric.ts";

/** Metrics that are looked at before other work gets a turn. */
const TURN = 200;

/**
 * The metrics below a prefix in the order of their keys, some at a time: other work has its turn before the next ones are read.
 * @param after the key of the one to go on behind
 */
export async function* metricsInTurns(
  documents: Documents,
  prefix: DocumentPrefix,
  after?: DocumentKey,
): AsyncGenerator<readonly KnownMetric[]> {
  let last = after;
  for (;;) {
    const options = last === undefined ? { limit: TURN } : { limit: TURN, after: last };
    const some = [...documents.list<MetricDocument>(prefix, options)];
    yield some.map(knownMetric);
    if (some.length < TURN) return;
    last = some.at(-1)?.key;
    await nextTurn();
  }
}
