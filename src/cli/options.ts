import type { CommandInput, CommandOption } from "./command.ts";
import type { RawConfig } from "#config/config";

export const platformOptions: readonly CommandOption[] = [
  { flags: "--host <address>", description: "address to listen on (default 127.0.0.1)" },
  { flags: "--port <number>", description: "port to listen on (default 4566)" },
  { flags: "--data <folder>", description: "data folder (default ~/.local/share/thaw)" },
  { flags: "--ephemeral", description: "keep nothing: a temporary data folder, removed at the end" },
  { flags: "--account <id>", description: "account of the root key (default 000000000000)" },
  { flags: "--region <name>", description: "default region (default us-east-1)" },
  { flags: "--root-key <id:secret>", description: "root credentials (default test:test, loopback alone)" },
  {
    flags: "--concurrency <number>",
    description: "concurrent executions of an account and region (default 1000)",
  },
  {
    flags: "--grace <seconds>",
    description: "how long a shutdown waits for running invocations (default 30)",
  },
  { flags: "--allow-reset", description: "let POST /_thaw/reset empty everything" },
  { flags: "--log-level <level>", description: "trace, debug, info, warn, error or silent (default info)" },
  { flags: "--log-json", description: "write the platform's log as JSON lines" },
];

/** Where client commands find the platform. */
export const clientOptions: readonly CommandOption[] = [
  { flags: "--endpoint <url>", description: "the platform's address (default http://127.0.0.1:4566)" },
  { flags: "--region <name>", description: "region (default us-east-1)" },
];

const platformNames = [
  "host",
  "port",
  "data",
  "ephemeral",
  "account",
  "region",
  "rootKey",
  "concurrency",
  "grace",
  "allowReset",
  "logLevel",
  "logJson",
] as const;

export function platformFlags(input: CommandInput): RawConfig {
  return Object.fromEntries(platformNames.map((name) => [name, input.options[name]]));
}

/** An option's text, or undefined. */
export function text(input: CommandInput, name: string): string | undefined {
  const value = input.options[name];
  return typeof value === "string" ? value : undefined;
}
