/** Round values from below `low` to above `high`, about `count` of them: 1, 2 or 5 times a power of ten apart. */
export function niceTicks(low: number, high: number, count: number): readonly number[] {
  const span = high > low ? high - low : Math.abs(high) || 1;
  const rough = span / Math.max(1, count);
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = ([1, 2, 5, 10].find((factor) => factor * power >= rough) ?? 10) * power;
  const first = Math.floor(low / step);
  const last = Math.max(first + 1, Math.ceil(high / step));
  return Array.from({ length: Math.min(200, last - first + 1) }, (_, index) => (first + index) * step);
}

const STEPS_MS = [
  1, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10_800, 21_600, 43_200, 86_400,
].map((seconds) => seconds * 1000);

/** Times at whole steps of the local clock, at most `count` of them. @param zone minutes east of UTC */
export function timeTicks(start: number, end: number, count: number, zone: number): readonly number[] {
  const least = (end - start) / Math.max(1, count);
  const day = 86_400_000;
  const step = STEPS_MS.find((each) => each >= least) ?? Math.ceil(least / day) * day;
  const shift = zone * 60_000;
  const ticks: number[] = [];
  for (let time = Math.ceil((start + shift) / step) * step - shift; time < end; time += step)
    ticks.push(time);
  return ticks;
}

/** `09:05`, or `01/31` where the steps are whole days. */
export function timeLabel(time: number, span: number, zone: number): string {
  const text = new Date(time + zone * 60_000).toISOString();
  return span > 3 * 86_400_000 ? text.slice(5, 10).replace("-", "/") : text.slice(11, 16);
}

/** `1.5k`, `20M`, `0.05`. */
export function shortNumber(value: number): string {
  const size = Math.abs(value);
  for (const [unit, factor] of [
    ["T", 1e12],
    ["G", 1e9],
    ["M", 1e6],
    ["k", 1e3],
  ] as const)
    if (size >= factor) return `${Number((value / factor).toPrecision(4))}${unit}`;
  return String(Number(value.toPrecision(4)));
}
