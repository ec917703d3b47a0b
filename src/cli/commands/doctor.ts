import { type Command, type DoctorReport, exit, type Output } from "../command.ts";
import { platformFlags, platformOptions } from "../options.ts";
import { table } from "../output.ts";

export const doctor: Command = {
  name: "doctor",
  summary: "Tell what this host enforces, what it only watches, and what to install",
  options: [...platformOptions, { flags: "--json", description: "as one JSON object" }],
  examples: [
    ["for people", "thaw doctor"],
    ["for scripts", "thaw doctor --json"],
  ],
  async run(input, host) {
    const report = await host.doctor(host.loadConfig(platformFlags(input)));
    if (input.options["json"]) host.out.line(JSON.stringify(report));
    else printReport(report, host.out);
    return exit.ok;
  },
};

/** Limit by limit, then the optional parts of the system. */
export function printReport({ checks, parts }: DoctorReport, out: Output): void {
  const marks = { enforced: out.green("✓"), watched: "~", "not enforced": out.red("✗") };
  const width = Math.max(...checks.map(({ limit }) => limit.length));
  for (const { limit, level, how, advice } of checks) {
    out.line(`${marks[level]} ${limit.padEnd(width)}  ${level.padEnd(12)}  ${how}`);
    if (advice !== undefined) out.line(`  ${" ".repeat(width)}  ${out.dim(`→ ${advice}`)}`);
  }
  if (parts.length === 0) return;
  out.line();
  const rows = parts.map(({ name, found, purpose }) => [name, found ?? "not found", purpose]);
  for (const line of table(rows)) out.line(line);
}
