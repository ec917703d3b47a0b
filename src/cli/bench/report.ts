import { cpus } from "node:os";
import type { Figure } from "./figures.ts";

/** docs/performance.md, whole. */
export function writeReport(figures: readonly Figure[], version: string): string {
  const rows = figures.map(
    ({ what, value, unit, target, met }) =>
      `| ${what} | ${round(value.median)} ${unit} | ${round(value.low)} to ${round(value.high)} | ${value.runs} | ${target} | ${target === "" ? "" : met ? "yes" : "no"} |`,
  );
  return [
    "# Performance",
    "",
    "Written by `thaw bench --write` (`npm run bench`); do not edit. Every ratio compares the platform with a bare `node:http`",
    "echo server, or with a bare interpreter start, measured in turn in the same run, so that it means the same on any machine.",
    "The load generator shares the machine's cores with what it measures.",
    "",
    `Thaw ${version}, Node.js ${process.version}, ${cpus().length} cores, the default sandbox, signatures of the root key checked, logs written.`,
    "",
    "| what | median | quartiles | runs | target | met |",
    "|---|---|---|---|---|---|",
    ...rows,
    "",
  ].join("\n");
}

function round(value: number): string {
  return value >= 100 ? value.toFixed(0) : value.toPrecision(3);
}
