import type { Change, Documents } from "#storage/documents";
import { byChunk, lastHour, putChunk, storedChunk } from "./chunks.ts";
import type { SeriesPoints } from "./generation.ts";
import { type Chunk, COARSER, floor, isKept, type Layer, MINUTES, SECONDS } from "./layers.ts";
import type { Scope } from "./metric.ts";
import { mergeInto, type Points, pointsOf } from "./packing.ts";

/** Coarser chunks are made of chunks: no record of the log is added to them. */
const NOT_OF_THE_LOG = 0;

/** A series' points of minutes by the start of their hour, in epoch milliseconds: whole hours. */
type PointsOfHours = ReadonlyMap<number, Points>;

/**
 * The changes that work one series' points into its chunks, and hours that are over into the coarser ones: of one commit,
 * so that all hold them or none.
 * @param upTo the last log record that the points come from
 */
export function sealSeries(
  documents: Documents,
  scope: Scope,
  id: string,
  { seconds, minutes }: SeriesPoints,
  upTo: number,
  now: number,
): readonly Change[] {
  const merged = (layer: Layer, start: number, added: Points): Points | undefined => {
    const stored = storedChunk(documents, scope, layer, id, start);
    if (stored !== undefined && stored.upTo >= upTo) return undefined;
    const points = pointsIn(stored, layer);
    for (const [time, summary] of added) mergeInto(points, time, summary);
    return points;
  };
  const changes: Change[] = [];
  for (const [start, added] of byChunk(seconds, SECONDS)) {
    if (!isKept(SECONDS, start, now)) continue;
    const points = merged(SECONDS, start, added);
    if (points !== undefined) changes.push(putChunk(scope, SECONDS, id, start, points, upTo));
  }
  const hours = new Map<number, Points>();
  // Minutes of any age: those that are too old go when they have been rolled up.
  for (const [start, added] of byChunk(minutes, MINUTES)) {
    const points = merged(MINUTES, start, added);
    if (points === undefined) continue;
    changes.push(putChunk(scope, MINUTES, id, start, points, upTo));
    hours.set(start, points);
  }
  const last = lastHour(documents, scope, id);
  if (last !== undefined && !hours.has(last.start)) hours.set(last.start, pointsIn(last, MINUTES));
  hours.delete(Math.max(...hours.keys()));
  return [...changes, ...rollUp(documents, scope, id, hours, now)];
}

/** The changes that put hours into the coarser chunks, in place of what these have of them. */
export function rollUp(
  documents: Documents,
  scope: Scope,
  id: string,
  hours: PointsOfHours,
  now: number,
): readonly Change[] {
  return COARSER.flatMap((layer) => {
    const chunks = new Map<number, Points>();
    for (const [hour, minutes] of hours) {
      const start = floor(hour, layer.chunk);
      if (!isKept(layer, start, now)) continue;
      const points = chunks.get(start) ?? pointsIn(storedChunk(documents, scope, layer, id, start), layer);
      chunks.set(start, points);
      for (let time = hour; time < hour + MINUTES.chunk; time += layer.step) points.delete(time);
      for (const [time, summary] of minutes) mergeInto(points, floor(time, layer.step), summary);
    }
    return [...chunks].map(([start, points]) => putChunk(scope, layer, id, start, points, NOT_OF_THE_LOG));
  });
}

function pointsIn(chunk: Chunk | undefined, { step }: Layer): Points {
  return chunk === undefined ? new Map() : pointsOf(chunk.packed, step);
}
