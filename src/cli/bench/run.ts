import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { OperatorError } from "#core/errors";
import { type CliHost, exit, type RuntimeLine } from "../command.ts";
import { table } from "../output.ts";
import { fullPlan, measure, quickPlan, type Runtime } from "./measurements.ts";
import { writeReport } from "./report.ts";

/** Measures, prints the table and, with `write`, keeps it in docs/performance.md. */
export async function runBench(host: CliHost, options: { quick: boolean; write: boolean }): Promise<number> {
  const available = await host.runtimes(host.loadConfig({}));
  const node = newest(available, "nodejs");
  if (node === undefined) throw new OperatorError("bench: no Node.js runtime was found");
  const figures = await measure({
    home: host.home,
    node,
    python: newest(available, "python"),
    plan: options.quick ? quickPlan : fullPlan,
    progress: (line) => host.out.error(line),
  });
  const rows = figures.map(({ what, value, unit, target, met }) => [
    target === "" ? " " : met ? "✓" : "✗",
    what,
    `${value.median.toPrecision(4)} ${unit}`,
    target,
  ]);
  for (const line of table(rows)) host.out.line(line);
  if (options.write)
    await writeFile(join(host.home, "docs", "performance.md"), writeReport(figures, host.version));
  return figures.every(({ met }) => met) ? exit.ok : exit.failed;
}

/** The last available runtime of a language in the catalogue's order. */
function newest(lines: readonly RuntimeLine[], language: string): Runtime | undefined {
  const found = lines.findLast(({ name, state }) => name.startsWith(language) && state === "available");
  return found?.path === undefined ? undefined : { name: found.name, path: found.path };
}
