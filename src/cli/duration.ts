/** As a person reads it: `0.42 ms`, `12.3 ms`, `456 ms`, `1.23 s`, `2 min 5 s`. */
export function duration(ms: number): string {
  if (ms < 1000) {
    const rounded = Number(ms.toPrecision(3));
    if (rounded < 1000) return `${ms < 1 ? Number(ms.toFixed(2)) : rounded} ms`;
  }
  const seconds = Number((ms / 1000).toPrecision(3));
  if (seconds < 60) return `${seconds} s`;
  const whole = Math.round(ms / 1000);
  const rest = whole % 60;
  return rest === 0 ? `${Math.floor(whole / 60)} min` : `${Math.floor(whole / 60)} min ${rest} s`;
}
