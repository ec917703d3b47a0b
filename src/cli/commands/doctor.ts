import { type Command, type DoctorReport, exit, type Output } from "../command.ts";
import { optionsFor, platformFlags } from "../options.ts";
import { runtimeTable } from "./runtimes.ts";

export const doctor: Command = {
  name: "doctor",
  summary: "Tell what this host enforces, what it only watches, and what to do about it",
  options: [
    ...optionsFor("sandbox", "network", "localNetwork", "cache", "data", "host", "rootKey"),
    ...optionsFor("tls", "tlsCert", "tlsKey"),
    { flags: "--json", description: "as one JSON object" },
  ],
  examples: [
    ["for people", "thaw doctor"],
    ["what would be without a sandbox", "thaw doctor --sandbox process"],
    ["whom clients of a platform with TLS have to trust", "thaw doctor --tls"],
    ["for scripts", "thaw doctor --json"],
  ],
  async run(input, host) {
    const report = await host.doctor(host.loadConfig(platformFlags(input)));
    if (input.options["json"]) host.out.line(JSON.stringify(report));
    else printReport(report, host.out);
    return exit.ok;
  },
};

/** Limit by limit, then runtime by runtime, each with what to do where it is not as on AWS. */
export function printReport({ backend, checks, runtimes }: DoctorReport, out: Output): void {
  const marks = { enforced: out.green("✓"), watched: "~", "not enforced": out.red("✗") };
  const width = Math.max(...checks.map(({ limit }) => limit.length));
  out.line(out.dim(`sandbox: ${backend}`));
  for (const { limit, level, how, remedy } of checks) {
    out.line(`${marks[level]} ${limit.padEnd(width)}  ${level.padEnd(12)}  ${how}`);
    if (remedy !== undefined) out.line(`  ${" ".repeat(width)}  ${out.dim(`→ ${remedy}`)}`);
  }
  if (runtimes.length === 0) return;
  out.line();
  for (const line of runtimeTable(runtimes)) out.line(line);
}
