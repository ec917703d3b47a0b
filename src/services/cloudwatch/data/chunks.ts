import type { Change, DocumentKey, Documents } from "#storage/documents";
import {
  type Chunk,
  type ChunkDocument,
  floor,
  type Layer,
  MINUTES,
  readChunk,
  seriesPrefix,
  writeChunk,
} from "./layers.ts";
import type { Scope } from "./metric.ts";
import { packPoints, type Points } from "./packing.ts";

export function chunkKey(scope: Scope, layer: Layer, id: string, start: number): DocumentKey {
  return [...seriesPrefix(scope, layer, id), start];
}

export function storedChunk(
  documents: Documents,
  scope: Scope,
  layer: Layer,
  id: string,
  start: number,
): Chunk | undefined {
  const document = documents.get<ChunkDocument>(chunkKey(scope, layer, id, start))?.value;
  return document && readChunk(document);
}

export function putChunk(
  scope: Scope,
  layer: Layer,
  id: string,
  start: number,
  points: Points,
  upTo: number,
): Change {
  const value = writeChunk({ upTo, packed: packPoints(points, layer.step) });
  return { key: chunkKey(scope, layer, id, start), value };
}

/** The last chunk of a series' minutes: the one that coarser layers do not have yet. */
export function lastHour(
  documents: Documents,
  scope: Scope,
  id: string,
): (Chunk & { readonly start: number }) | undefined {
  const prefix = seriesPrefix(scope, MINUTES, id);
  for (const { key, value } of documents.list<ChunkDocument>(prefix, { reverse: true, limit: 1 }))
    return { start: Number(key.at(-1)), ...readChunk(value) };
  return undefined;
}

/** Points by the start of the chunk that they belong to. */
export function byChunk(points: Points, { chunk }: Layer): ReadonlyMap<number, Points> {
  const groups = new Map<number, Points>();
  for (const [time, summary] of points) {
    const start = floor(time, chunk);
    const group = groups.get(start);
    if (group === undefined) groups.set(start, new Map([[time, summary]]));
    else group.set(time, summary);
  }
  return groups;
}
