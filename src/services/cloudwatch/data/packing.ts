import { Distribution } from "#telemetry/distribution";
import { Packer, Unpacker } from "#telemetry/packed";
import { Summary } from "#telemetry/summary";

/** Points by the time at which they start, in epoch milliseconds. */
export type Points = Map<number, Summary>;

/** What a packed point is followed by. */
const ONE_VALUE = 0;
const OPAQUE = 1;
const DISTRIBUTED = 2;

/**
 * Points as bytes: for each, in order of time, how many steps it is behind the one before and its figures. A minute of
 * invocations takes four bytes, a minute of a thousand different durations about a hundred.
 */
export function packPoints(points: Points, step: number): Buffer {
  const packer = new Packer();
  writePoints(packer, points, step);
  return packer.bytes();
}

export function writePoints(packer: Packer, points: Points, step: number): void {
  let before = 0;
  for (const [time, summary] of [...points].toSorted(([a], [b]) => a - b)) {
    const steps = time / step;
    packer.whole(steps - before);
    before = steps;
    packSummary(packer, summary);
  }
}

/** @param shallow leaves distributions out, where only sums and extremes are wanted */
export function unpackPoints(
  bytes: Buffer,
  step: number,
  each: (time: number, summary: Summary) => void,
  shallow = false,
): void {
  const unpacker = new Unpacker(bytes);
  let steps = 0;
  while (!unpacker.done) {
    steps += unpacker.whole();
    each(steps * step, unpackSummary(unpacker, shallow));
  }
}

/** Reads `count` points that stand among other things. */
export function readPoints(unpacker: Unpacker, count: number, step: number): Points {
  const points: Points = new Map();
  let steps = 0;
  for (let n = 0; n < count; n++) {
    steps += unpacker.whole();
    points.set(steps * step, unpackSummary(unpacker, false));
  }
  return points;
}

/** All points of a chunk. */
export function pointsOf(bytes: Buffer, step: number): Points {
  const points: Points = new Map();
  unpackPoints(bytes, step, (time, summary) => points.set(time, summary));
  return points;
}

/** Merges into a copy, as the summary may still stand elsewhere. */
export function mergeInto(points: Points, time: number, summary: Summary): void {
  const known = points.get(time);
  if (known === undefined) points.set(time, summary.copy());
  else known.merge(summary);
}

function packSummary(packer: Packer, summary: Summary): void {
  const { count, sum, min, max, distribution, opaque } = summary;
  if (!opaque && distribution === undefined) {
    packer.whole(ONE_VALUE);
    packer.number(min);
    packer.number(count);
    return;
  }
  packer.whole(opaque ? OPAQUE : DISTRIBUTED);
  for (const figure of [count, sum, min, max]) packer.number(figure);
  if (distribution !== undefined) packer.block(distribution.pack());
}

function unpackSummary(unpacker: Unpacker, shallow: boolean): Summary {
  const form = unpacker.whole();
  if (form === ONE_VALUE) {
    const value = unpacker.number();
    const count = unpacker.number();
    return Summary.of({ count, sum: value * count, min: value, max: value }, undefined, false);
  }
  const set = {
    count: unpacker.number(),
    sum: unpacker.number(),
    min: unpacker.number(),
    max: unpacker.number(),
  };
  if (form === OPAQUE) return Summary.of(set, undefined, true);
  if (!shallow) return Summary.of(set, Distribution.unpack(unpacker.block()), false);
  unpacker.skipBlock();
  return Summary.of(set, undefined, true);
}
