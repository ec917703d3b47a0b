import type { DocumentPrefix } from "#storage/documents";
import type { Scope } from "./metric.ts";

export const SECOND = 1000;
export const MINUTE = 60_000;
export const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;

/**
 * Data are kept four times over, ever coarser and ever longer (user guide, "Metrics retention"), so that growing old is to
 * be deleted and nothing else, and a month in hours is read from hours. A value is written to its second and minute; hours
 * are rolled up into the coarser layers when the series has a newer one, or before their minutes are deleted. So a series'
 * last hour is in minutes alone, and a series costs one document where it is written to, not three.
 */
export interface Layer {
  readonly kind: string;
  /** Milliseconds that one point stands for. */
  readonly step: number;
  /** Milliseconds that one document holds. */
  readonly chunk: number;
  /** How long points are kept, in milliseconds. */
  readonly keep: number;
}

export const SECONDS: Layer = { kind: "metric-1s", step: SECOND, chunk: 5 * MINUTE, keep: 3 * HOUR };
export const MINUTES: Layer = { kind: "metric-1m", step: MINUTE, chunk: HOUR, keep: 15 * DAY };
export const FIVE_MINUTES: Layer = { kind: "metric-5m", step: 5 * MINUTE, chunk: 6 * HOUR, keep: 63 * DAY };
export const HOURS: Layer = { kind: "metric-1h", step: HOUR, chunk: 2 * DAY, keep: 455 * DAY };

/** What is made of minutes once their hour is over. */
export const COARSER: readonly Layer[] = [FIVE_MINUTES, HOURS];

/** From the finest to the coarsest. */
export const LAYERS: readonly Layer[] = [SECONDS, MINUTES, ...COARSER];

/**
 * A chunk as it is stored; there are dozens for each function. Log records up to a sequence are in it, if it is one of seconds
 * or minutes: a chunk that was written before a crash is not added to again. Points are packed, in base64.
 */
export type ChunkDocument =
  | readonly [upTo: number, points: string]
  /** As chunks were stored at first. */
  | { readonly upTo: number; readonly points: string };

export interface Chunk {
  readonly upTo: number;
  readonly packed: Buffer;
}

export function readChunk(document: ChunkDocument): Chunk {
  const [upTo, points] = "upTo" in document ? [document.upTo, document.points] : document;
  return { upTo, packed: Buffer.from(points, "base64") };
}

export function writeChunk({ upTo, packed }: Chunk): ChunkDocument {
  return [upTo, packed.toString("base64")];
}

export function seriesPrefix(scope: Scope, layer: Layer, id: string) {
  return [scope.account, scope.region, layer.kind, id] as const satisfies DocumentPrefix;
}

/** Whether a chunk has a point that is not too old. @param start, now epoch milliseconds */
export function isKept(layer: Layer, start: number, now: number): boolean {
  return start + layer.chunk > now - layer.keep;
}

export function floor(time: number, step: number): number {
  return Math.floor(time / step) * step;
}
