import { homedir } from "node:os";
import { join, resolve } from "node:path";
import { OperatorError } from "#core/errors";
import { isLoopback } from "#core/loopback";
import { isWellKnownSecret, parseRootKey } from "#core/root-key";
import { defaultCacheFolder } from "./cache.ts";
import { type Config, schema, settingNames, settings } from "./settings.ts";

/** What flags gave, by the setting's name; undefined where a flag was not given. */
export type RawConfig = Partial<Record<keyof Config, unknown>>;

/**
 * Flags over environment variables over defaults, checked and frozen.
 * @throws OperatorError that names the setting and what it must be
 */
export function loadConfig(flags: RawConfig, environment: NodeJS.ProcessEnv = process.env): Config {
  const raw: Record<string, unknown> = { ...defaults(environment) };
  for (const name of settingNames) {
    const { variable, flags: notation } = settings[name];
    const value = environment[variable];
    if (value === undefined || value === "") continue;
    raw[name] = notation.includes("<") ? value : readBoolean(variable, value);
  }
  for (const [name, value] of Object.entries(flags)) if (value !== undefined) raw[name] = value;
  const parsed = schema.safeParse(raw);
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    const setting = settings[issue?.path[0] as keyof Config];
    // The value itself stays out of the message: it may be a secret.
    throw new OperatorError(
      `${setting.flags.split(" ")[0]} (${setting.variable}): ${issue?.message ?? "is wrong"}`,
      2,
    );
  }
  const config = parsed.data;
  if (!isLoopback(config.host) && config.rootKey && isWellKnownSecret(parseRootKey(config.rootKey).secret))
    throw new OperatorError(
      `Listening on ${config.host}, beyond loopback, demands credentials of your own: give another --root-key ID:SECRET, or none, and Thaw makes one.`,
      2,
    );
  if ((config.tlsCert === undefined) !== (config.tlsKey === undefined))
    throw new OperatorError("--tls-cert and --tls-key (THAW_TLS_CERT, THAW_TLS_KEY) belong together", 2);
  return Object.freeze({
    ...config,
    tls: config.tls || config.tlsCert !== undefined || !isLoopback(config.host),
    data: resolve(config.data),
    cache: resolve(config.cache),
    ...resolved(config, "images", "tlsCert", "tlsKey"),
  });
}

function resolved(config: Config, ...names: readonly ("images" | "tlsCert" | "tlsKey")[]): Partial<Config> {
  const given = names.flatMap((name) => {
    const path = config[name];
    return path === undefined ? [] : [[name, resolve(path)]];
  });
  return Object.fromEntries(given) as Partial<Config>;
}

/** Where the platform's data is unless something else is said. */
export function standardData(environment: NodeJS.ProcessEnv): string {
  const home = environment["HOME"] || homedir();
  return join(environment["XDG_DATA_HOME"] || join(home, ".local", "share"), "thaw");
}

/** The folder of the platform's own certificate within its data. */
export function tlsFolder(data: string): string {
  return join(data, "tls");
}

function defaults(environment: NodeJS.ProcessEnv): Config {
  return {
    host: "127.0.0.1",
    port: 4566,
    data: standardData(environment),
    cache: defaultCacheFolder(environment),
    ephemeral: false,
    account: "000000000000",
    region: "us-east-1",
    rootKey: undefined,
    tls: false,
    iam: "enforce",
    allowReset: false,
    logLevel: "info",
    logJson: false,
    grace: 30,
    concurrency: 1000,
    sandbox: "auto",
    network: "egress",
    localNetwork: "allow",
    otlp: environment["OTEL_EXPORTER_OTLP_ENDPOINT"] || undefined,
  };
}

/** @throws OperatorError that names the variable */
export function readBoolean(variable: string, value: string): boolean {
  if (["1", "true", "yes"].includes(value.toLowerCase())) return true;
  if (["0", "false", "no"].includes(value.toLowerCase())) return false;
  throw new OperatorError(`${variable}: must be true or false`, 2);
}

/** Colours are for terminals, and not where NO_COLOR (no-color.org) is set. */
export function wantsColour(terminal: boolean, environment: NodeJS.ProcessEnv = process.env): boolean {
  return terminal && !environment["NO_COLOR"] && environment["TERM"] !== "dumb";
}

/** What OpenTelemetry's variables say of sending, beside where to (OpenTelemetry Protocol Exporter specification). */
export interface OtlpEnvironment {
  /** Names in lower case. They may hold secrets. */
  readonly headers: Readonly<Record<string, string>>;
  readonly metricIntervalMs: number;
}

export function otlpEnvironment(environment: NodeJS.ProcessEnv = process.env): OtlpEnvironment {
  const headers: Record<string, string> = {};
  for (const pair of (environment["OTEL_EXPORTER_OTLP_HEADERS"] ?? "").split(",")) {
    const [, name = "", value = ""] = /^\s*([^=\s]+)\s*=\s*(.*?)\s*$/.exec(pair) ?? [];
    if (name !== "") headers[name.toLowerCase()] = decoded(value);
  }
  const interval = Number(environment["OTEL_METRIC_EXPORT_INTERVAL"]);
  return { headers, metricIntervalMs: interval >= 100 ? interval : 60_000 };
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** The host's PATH, for finding interpreters. */
export function hostPath(environment: NodeJS.ProcessEnv = process.env): string {
  return environment["PATH"] ?? "/usr/local/bin:/usr/bin:/bin";
}

/** How the user calls the program, such as `./thaw`: for commands that are shown to be copied. Set by the launcher. */
export function programName(environment: NodeJS.ProcessEnv = process.env): string {
  return environment["THAW_PROGRAM"] || "thaw";
}
