import type { Summary } from "#telemetry/summary";
import type { Change, DocumentKey, Documents } from "#storage/documents";
import type { SeriesPoints } from "./generation.ts";
import {
  type Chunk,
  type ChunkDocument,
  floor,
  type Layer,
  LAYERS,
  readChunk,
  SECONDS,
  seriesPrefix,
  writeChunk,
} from "./layers.ts";
import type { Scope } from "./metric.ts";
import { packPoints, type Points, unpackPoints } from "./packing.ts";

export function chunkKey(scope: Scope, layer: Layer, id: string, start: number): DocumentKey {
  return [...seriesPrefix(scope, layer, id), start];
}

/** Up to which log record a chunk holds points; -1 for a chunk that there is not. */
export function chunkUpTo(
  documents: Documents,
  scope: Scope,
  layer: Layer,
  id: string,
  start: number,
): number {
  return storedChunk(documents, chunkKey(scope, layer, id, start))?.upTo ?? -1;
}

/** The changes that work one series' points into the chunks of all layers: of one commit, so that all hold them or none. */
export function sealSeries(
  documents: Documents,
  scope: Scope,
  id: string,
  points: SeriesPoints,
  upTo: number,
  now: number,
): readonly Change[] {
  return LAYERS.flatMap((layer) => {
    const source = layer === SECONDS ? points.seconds : points.minutes;
    return [...byChunk(source, layer.chunk)].flatMap(([start, added]): readonly Change[] => {
      if (start + layer.chunk <= now - layer.keep) return [];
      const key = chunkKey(scope, layer, id, start);
      const stored = storedChunk(documents, key);
      if (stored !== undefined && stored.upTo >= upTo) return [];
      const merged: Points = new Map();
      if (stored !== undefined)
        unpackPoints(stored.packed, layer.step, (time, summary) => merged.set(time, summary));
      for (const [time, summary] of added) mergeInto(merged, floor(time, layer.step), summary);
      return [{ key, value: writeChunk({ upTo, packed: packPoints(merged, layer.step) }) }];
    });
  });
}

function storedChunk(documents: Documents, key: DocumentKey): Chunk | undefined {
  const document = documents.get<ChunkDocument>(key)?.value;
  return document && readChunk(document);
}

/** Merges into a copy, as the summary may still stand elsewhere. */
function mergeInto(points: Points, time: number, summary: Summary): void {
  const known = points.get(time);
  if (known === undefined) {
    points.set(time, summary.copy());
    return;
  }
  known.merge(summary);
}

function byChunk(points: Points, chunk: number): Map<number, [number, Summary][]> {
  const groups = new Map<number, [number, Summary][]>();
  for (const point of points) {
    const start = floor(point[0], chunk);
    const group = groups.get(start);
    if (group === undefined) groups.set(start, [point]);
    else group.push(point);
  }
  return groups;
}
