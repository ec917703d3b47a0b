import { homedir } from "node:os";
import { join, resolve } from "node:path";
import { z } from "zod";
import { OperatorError } from "#core/errors";

/** What the user may set, by flag (`--data`) or environment variable (`THAW_DATA`). Flags win. */
const schema = z.strictObject({
  host: z.string().min(1),
  port: z.coerce.number().int().min(0).max(65_535),
  data: z.string().min(1),
  /** What can be fetched again: interpreters that `thaw runtimes add` installed. */
  cache: z.string().min(1),
  ephemeral: z.boolean(),
  account: z.string().regex(/^\d{12}$/, "must be 12 digits"),
  region: z.string().regex(/^[a-z]{2}(-[a-z]+)+-\d$/, "must be a region such as us-east-1"),
  rootKey: z.string().regex(/^\S{3,128}:\S{1,128}$/, "must be ID:SECRET"),
  allowReset: z.boolean(),
  logLevel: z.enum(["trace", "debug", "info", "warn", "error", "silent"]),
  logJson: z.boolean(),
  /** Seconds that a shutdown waits for invocations under way. */
  grace: z.coerce.number().min(0).max(900),
  /** Concurrent executions of an account and region; AWS's default is 1,000. */
  concurrency: z.coerce.number().int().min(1).max(100_000),
});

export type Config = Readonly<z.infer<typeof schema>>;
export type RawConfig = Partial<Record<keyof Config, unknown>>;

const environmentNames: Readonly<Record<keyof Config, string>> = {
  host: "THAW_HOST",
  port: "THAW_PORT",
  data: "THAW_DATA",
  cache: "THAW_CACHE",
  ephemeral: "THAW_EPHEMERAL",
  account: "THAW_ACCOUNT",
  region: "THAW_REGION",
  rootKey: "THAW_ROOT_KEY",
  allowReset: "THAW_ALLOW_RESET",
  logLevel: "THAW_LOG_LEVEL",
  logJson: "THAW_LOG_JSON",
  grace: "THAW_GRACE",
  concurrency: "THAW_CONCURRENCY",
};

const booleans = new Set<string>(["ephemeral", "allowReset", "logJson"]);

/**
 * Flags over environment variables over defaults, checked and frozen.
 * @throws OperatorError that names the setting and what it must be
 */
export function loadConfig(flags: RawConfig, environment: NodeJS.ProcessEnv = process.env): Config {
  const raw: Record<string, unknown> = { ...defaults(environment) };
  for (const [name, variable] of Object.entries(environmentNames)) {
    const value = environment[variable];
    if (value === undefined || value === "") continue;
    raw[name] = booleans.has(name) ? readBoolean(variable, value) : value;
  }
  for (const [name, value] of Object.entries(flags)) if (value !== undefined) raw[name] = value;
  const parsed = schema.safeParse(raw);
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    const name = String(issue?.path[0] ?? "configuration") as keyof Config;
    const variable = environmentNames[name] ?? "";
    // The value itself stays out of the message: it may be a secret.
    throw new OperatorError(`--${kebab(name)} (${variable}): ${issue?.message ?? "is wrong"}`, 2);
  }
  const config = parsed.data;
  if (!isLoopback(config.host) && config.rootKey === DEFAULT_ROOT_KEY)
    throw new OperatorError(
      `Listening on ${config.host}, beyond loopback, demands credentials of your own: add --root-key ID:SECRET.`,
      2,
    );
  return Object.freeze({ ...config, data: resolve(config.data), cache: resolve(config.cache) });
}

const DEFAULT_ROOT_KEY = "test:test";

function defaults(environment: NodeJS.ProcessEnv): Config {
  const home = environment["HOME"] || homedir();
  return {
    host: "127.0.0.1",
    port: 4566,
    data: join(environment["XDG_DATA_HOME"] || join(home, ".local", "share"), "thaw"),
    cache: join(environment["XDG_CACHE_HOME"] || join(home, ".cache"), "thaw"),
    ephemeral: false,
    account: "000000000000",
    region: "us-east-1",
    rootKey: DEFAULT_ROOT_KEY,
    allowReset: false,
    logLevel: "info",
    logJson: false,
    grace: 30,
    concurrency: 1000,
  };
}

function readBoolean(variable: string, value: string): boolean {
  if (["1", "true", "yes"].includes(value.toLowerCase())) return true;
  if (["0", "false", "no"].includes(value.toLowerCase())) return false;
  throw new OperatorError(`${variable}: must be true or false`, 2);
}

function kebab(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

/** Whether a host name or address can only be reached from this machine. */
export function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || /^127(\.\d{1,3}){3}$/.test(host);
}

/** Colours are for terminals, and not where NO_COLOR (no-color.org) is set. */
export function wantsColour(terminal: boolean, environment: NodeJS.ProcessEnv = process.env): boolean {
  return terminal && !environment["NO_COLOR"] && environment["TERM"] !== "dumb";
}

/** The host's PATH, for finding interpreters. */
export function hostPath(environment: NodeJS.ProcessEnv = process.env): string {
  return environment["PATH"] ?? "/usr/local/bin:/usr/bin:/bin";
}
