import { Distribution, ZERO_BUCKET } from "#telemetry/distribution";
import { Summary } from "#telemetry/summary";
import { Packer, Unpacker } from "./bytes.ts";

/** Points by the time at which they start, in epoch milliseconds. */
export type Points = Map<number, Summary>;

/** What a packed point is followed by. */
const ONE_VALUE = 0;
const OPAQUE = 1;
const EXACT = 2;
const BUCKETS = 3;

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

function packSummary(packer: Packer, summary: Summary): void {
  const { count, sum, min, max, distribution, opaque } = summary;
  if (!opaque && distribution === undefined) {
    packer.whole(ONE_VALUE);
    packer.number(min);
    packer.number(count);
    return;
  }
  packer.whole(opaque ? OPAQUE : distribution?.scale === undefined ? EXACT : BUCKETS);
  for (const figure of [count, sum, min, max]) packer.number(figure);
  if (distribution !== undefined) packDistribution(packer, distribution);
}

function unpackSummary(unpacker: Unpacker, shallow: boolean): Summary {
  const form = unpacker.whole();
  if (form === ONE_VALUE) {
    const value = unpacker.number();
    const count = unpacker.number();
    return Summary.of({ count, sum: value * count, min: value, max: value }, undefined, false);
  }
  const count = unpacker.number();
  const sum = unpacker.number();
  const min = unpacker.number();
  const max = unpacker.number();
  const distribution = form === OPAQUE ? undefined : unpackDistribution(unpacker, form, shallow);
  return Summary.of({ count, sum, min, max }, distribution, form === OPAQUE || shallow);
}

function packDistribution(packer: Packer, distribution: Distribution): void {
  const entries = [...distribution.entries()].toSorted(([a], [b]) => a - b);
  packer.whole(entries.length);
  if (distribution.scale === undefined) {
    for (const [value, count] of entries) {
      packer.number(value);
      packer.number(count);
    }
    return;
  }
  packer.signed(distribution.scale);
  let before = 0;
  for (const [bucket, count] of entries) {
    // Zero comes first, if at all, as the bucket of count 0 does not occur otherwise.
    if (bucket === ZERO_BUCKET) {
      packer.number(0);
      packer.number(count);
      continue;
    }
    packer.number(count);
    packer.signed(bucket - before);
    before = bucket;
  }
}

function unpackDistribution(unpacker: Unpacker, form: number, shallow: boolean): Distribution | undefined {
  const size = unpacker.whole();
  const distribution = shallow ? undefined : new Distribution();
  if (form === EXACT) {
    for (let n = 0; n < size; n++) {
      const value = unpacker.number();
      const count = unpacker.number();
      distribution?.add(value, count);
    }
    return distribution;
  }
  const scale = unpacker.signed();
  let bucket = 0;
  for (let n = 0; n < size; n++) {
    const count = unpacker.number();
    if (count === 0) {
      distribution?.addEntry(ZERO_BUCKET, unpacker.number(), scale);
      continue;
    }
    bucket += unpacker.signed();
    distribution?.addEntry(bucket, count, scale);
  }
  return distribution;
}
