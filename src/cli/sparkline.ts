const BARS = "▁▂▃▄▅▆▇█";

/** One character a value, from the lowest bar at 0 to the highest at the largest value; a blank where there is none. */
export function sparkline(values: readonly (number | undefined)[]): string {
  const highest = values.reduce<number>((most, value) => Math.max(most, value ?? 0), 0);
  return values
    .map((value) => {
      if (value === undefined) return " ";
      const step = highest === 0 ? 0 : Math.round((Math.max(0, value) / highest) * (BARS.length - 1));
      return BARS[step] ?? " ";
    })
    .join("");
}
