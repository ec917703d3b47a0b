import { setImmediate as nextTurn } from "node:timers/promises";
import type { Change, Document, DocumentKey, Documents } from "#storage/documents";
import { lastHour } from "./chunks.ts";
import { isKept, LAYERS, MINUTES, seriesPrefix } from "./layers.ts";
import { knownMetric, metricsPrefix, seriesId, type MetricDocument, type Scope } from "./metric.ts";
import { pointsOf } from "./packing.ts";
import type { ScopedData } from "./scoped.ts";
import { rollUp } from "./sealing.ts";

/** Metrics that are looked at before other work gets a turn. */
const TURN = 25;

/** Chunks of one series and layer that one sweep deletes: many only after the platform had been away for long. */
const MAX_CHUNKS = 500;

/** Deletes the chunks of a scope that have grown too old, and the metrics that nothing is left of. */
export async function sweepScope(
  documents: Documents,
  scope: Scope,
  held: ScopedData | undefined,
  now: number,
): Promise<void> {
  let after: DocumentKey | undefined;
  for (;;) {
    const options = after === undefined ? { limit: TURN } : { limit: TURN, after };
    const metrics = [...documents.list<MetricDocument>(metricsPrefix(scope), options)];
    const changes = metrics.flatMap((found) => sweepMetric(documents, scope, found, held, now));
    if (changes.length > 0) await documents.commit(changes);
    after = metrics.at(-1)?.key;
    if (metrics.length < TURN) return;
    await nextTurn();
  }
}

function sweepMetric(
  documents: Documents,
  scope: Scope,
  found: Document<MetricDocument>,
  held: ScopedData | undefined,
  now: number,
): readonly Change[] {
  const changes: Change[] = [];
  let left = false;
  const metric = knownMetric(found);
  for (const unit of metric.units) {
    const id = seriesId(metric, unit);
    left ||= held?.generations().some(({ series }) => series.has(id)) === true;
    const last = lastHour(documents, scope, id);
    if (last !== undefined && !isKept(MINUTES, last.start, now)) {
      const hours = new Map([[last.start, pointsOf(last.packed, MINUTES.step)]]);
      const rolled = rollUp(documents, scope, id, hours, now);
      changes.push(...rolled);
      left ||= rolled.length > 0;
    }
    for (const layer of LAYERS) {
      const chunks = documents.list(seriesPrefix(scope, layer, id), { limit: MAX_CHUNKS });
      for (const chunk of chunks) {
        if (isKept(layer, Number(chunk.key.at(-1)), now)) {
          left = true;
          break;
        }
        changes.push({ key: chunk.key, delete: true });
        if (changes.length >= MAX_CHUNKS) left = true;
      }
    }
  }
  if (left) return changes;
  return [...changes, { key: found.key, delete: true }];
}
