import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { CliHost } from "#cli/command";
import { commands } from "#cli/commands";
import { createOutput } from "#cli/output";
import { runCli } from "#cli/program";
import {
  isFoundByClients,
  loadClientConfig,
  loadClientConfigForTools,
  variablesInTheWay,
} from "#config/client";
import { loadConfig, programName, wantsColour } from "#config/config";
import { flushBaselineCode } from "#core/baseline-code";

/** The installation: `dist` and `src`, where this lies, are one folder below it. */
const home = fileURLToPath(new URL("..", import.meta.url));
const { version } = JSON.parse(readFileSync(join(home, "package.json"), "utf8")) as { version: string };

// The CLI's own client warns on every start under Node.js 20; what it says is no matter of the user's.
process.env["AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED"] ??= "true";

/** Resolves at the next SIGINT, SIGTERM or SIGHUP (the terminal was closed). From the first call on, signals no longer end the process by themselves. */
let waiting: (() => void)[] = [];
let listening = false;

function untilInterrupted(): Promise<void> {
  if (!listening) {
    listening = true;
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const)
      process.on(signal, () => {
        const resolve = waiting;
        waiting = [];
        for (const wake of resolve) wake();
      });
  }
  return new Promise((resolve) => waiting.push(resolve));
}

let platformRuns = false;

const host: CliHost = {
  out: createOutput(wantsColour(process.stdout.isTTY)),
  version,
  home,
  program: programName(),
  loadConfig: (flags) => loadConfig(flags),
  loadClientConfig: (flags) => loadClientConfig(flags),
  clientConfigForTools: (flags) => {
    const config = loadClientConfigForTools(flags);
    return { config, inTheWay: variablesInTheWay(config) };
  },
  isFoundByClients: (folder) => isFoundByClients(folder),
  // Loaded on use: commands that only talk to a platform start without its parts.
  startPlatform: async (config) => {
    platformRuns = true;
    // A stricter one, as hardened hosts give root, would keep guests, who are other users, from their own code. What
    // only the platform may read lies in folders that say so themselves.
    process.umask(0o022);
    const { startPlatform } = await import("./platform/start.ts");
    const platform = await startPlatform(config, { home, version });
    flushBaselineCode();
    return platform;
  },
  doctor: async (config) => (await import("./host-report.ts")).doctor(config),
  runtimes: async (config) => (await import("./host-report.ts")).runtimes(config),
  installRuntime: async (config, name, progress) =>
    (await import("./host-report.ts")).addRuntime(config, name, progress),
  untilInterrupted,
};

// A reader that has seen enough (`thaw logs | head`) is no failure. A platform runs on without one and ends as always.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code === "EPIPE" && !platformRuns) process.exit(0);
});

process.exitCode = await runCli(commands, host, process.argv.slice(2));
// Open handles of clients and libraries must not keep a finished command alive.
if (process.stdout.writableLength === 0 || process.stdout.destroyed) process.exit();
else process.stdout.once("drain", () => process.exit()).once("error", () => process.exit());
