import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { OperatorError } from "#core/errors";
import { isLoopback } from "#core/loopback";
import { parseRootKey, type RootKey } from "#core/root-key";
import { readBoolean, standardData, tlsFolder } from "./config.ts";
import { readRootKey, rootKeyFile } from "./root-key-file.ts";
import { clientSettings, schema } from "./settings.ts";

/** Where a command finds the platform and as whom it comes. */
export interface ClientConfig {
  readonly endpoint: string;
  readonly region: string;
  readonly credentials: {
    readonly accessKeyId: string;
    readonly secretAccessKey: string;
    readonly sessionToken?: string;
  };
  /** What gave the credentials: a flag, a variable, a file, or `default`. Told where they are refused. */
  readonly credentialsFrom: string;
  /** Whom to trust beside the well-known authorities, a PEM file; undefined where nobody, or there is no TLS. */
  readonly caBundle?: string;
}

export interface RawClientConfig {
  readonly endpoint?: string | undefined;
  readonly region?: string | undefined;
  readonly rootKey?: string | undefined;
  readonly data?: string | undefined;
  readonly caBundle?: string | undefined;
}

/** A value with the name of what gave it. */
interface Given {
  readonly from: string;
  readonly value: string;
}

/**
 * Flags over THAW_* over AWS_* over defaults, each setting on its own.
 * @throws OperatorError that names the flag or variable and what it must be
 */
export function loadClientConfig(
  flags: RawClientConfig,
  environment: NodeJS.ProcessEnv = process.env,
): ClientConfig {
  const url = endpoint(flags.endpoint, environment);
  return {
    endpoint: url,
    region: region(flags.region, environment),
    ...credentials(flags, environment, url),
    ...(isSecure(url) ? caBundle(flags, environment) : {}),
  };
}

/** The authority of a platform on this machine needs no flag where its data is where such data is. */
function caBundle(flags: RawClientConfig, environment: NodeJS.ProcessEnv): Pick<ClientConfig, "caBundle"> {
  const { variable, awsVariables } = clientSettings.caBundle;
  const given = asked("--ca-bundle", flags.caBundle) ?? firstOf([variable, ...awsVariables], environment);
  if (given !== undefined) return { caBundle: resolve(given.value) };
  const own = join(tlsFolder(dataFolder(flags, environment)), "ca.pem");
  return existsSync(own) ? { caBundle: own } : {};
}

function dataFolder({ data }: RawClientConfig, environment: NodeJS.ProcessEnv): string {
  return resolve(data || environment[clientSettings.data.variable] || standardData(environment));
}

/** Whether clients look into a data folder without being told: in this terminal, and in one without Thaw's variables. */
export function isFoundByClients(folder: string, environment: NodeJS.ProcessEnv = process.env): boolean {
  return folder === dataFolder({}, environment) && folder === resolve(standardData(environment));
}

/** A PEM file of authorities that Node.js trusts beside the well-known ones, but where a connection names its own. */
export function nodeAuthorities(environment: NodeJS.ProcessEnv = process.env): string | undefined {
  return environment["NODE_EXTRA_CA_CERTS"] || undefined;
}

/**
 * The variables that `thaw env` is to set. AWS's keys count only beside AWS's endpoint: on their own they are those of
 * a real account, as CI systems export them, and no platform on this machine knows them.
 */
export function loadClientConfigForTools(
  flags: RawClientConfig,
  environment: NodeJS.ProcessEnv = process.env,
): ClientConfig {
  const found = loadClientConfig(flags, environment);
  if (found.credentialsFrom !== "AWS_ACCESS_KEY_ID" || environment["AWS_ENDPOINT_URL"]) return found;
  const { AWS_ACCESS_KEY_ID: _id, AWS_SECRET_ACCESS_KEY: _secret, ...others } = environment;
  return { ...found, ...credentials(flags, others, found.endpoint) };
}

/** Variables that would win over, or spoil, those of `thaw env` and that are set. */
export function variablesInTheWay(
  { credentials: { sessionToken } }: ClientConfig,
  environment: NodeJS.ProcessEnv = process.env,
): readonly string[] {
  const names = ["AWS_PROFILE", ...(sessionToken === undefined ? ["AWS_SESSION_TOKEN"] : [])];
  return names.filter((name) => environment[name]);
}

function endpoint(flag: string | undefined, environment: NodeJS.ProcessEnv): string {
  const { variable, awsVariables, standard = "" } = clientSettings.endpoint;
  const given = asked("--endpoint", flag) ??
    firstOf([variable], environment) ??
    listening(environment) ??
    firstOf(awsVariables, environment) ?? { from: "default", value: standard };
  if (!/^https?:\/\//.test(given.value) || !URL.canParse(given.value))
    throw new OperatorError(`${given.from}: must be an address such as ${standard}`, 2);
  return given.value;
}

/** The platform's own variables tell where it listens, too. */
function listening(environment: NodeJS.ProcessEnv): Given | undefined {
  const { THAW_HOST: host, THAW_PORT: port, THAW_TLS: tls, THAW_TLS_CERT: certificate } = environment;
  if (!host && !port) return undefined;
  const secure = (host && !isLoopback(host)) || certificate || (tls && readBoolean("THAW_TLS", tls));
  const address = `${reachable(host || "127.0.0.1")}:${port || 4566}`;
  return { from: "THAW_HOST, THAW_PORT", value: `${secure ? "https" : "http"}://${address}` };
}

/** Every address of a host includes its loopback; IPv6 addresses stand in brackets. */
function reachable(host: string): string {
  if (host === "0.0.0.0") return "127.0.0.1";
  if (host === "::") return "[::1]";
  return host.includes(":") ? `[${host}]` : host;
}

function region(flag: string | undefined, environment: NodeJS.ProcessEnv): string {
  const { variable, awsVariables, standard = "" } = clientSettings.region;
  const given = asked("--region", flag) ?? firstOf([variable, ...awsVariables], environment);
  return given === undefined ? standard : checked("region", given);
}

function credentials(
  flags: RawClientConfig,
  environment: NodeJS.ProcessEnv,
  url: string,
): Pick<ClientConfig, "credentials" | "credentialsFrom"> {
  const { variable, standard = "" } = clientSettings.rootKey;
  const given = asked("--root-key", flags.rootKey) ?? firstOf([variable], environment);
  if (given === undefined) {
    const { AWS_ACCESS_KEY_ID: id, AWS_SECRET_ACCESS_KEY: secret, AWS_SESSION_TOKEN: token } = environment;
    if (id && secret)
      return { credentials: keyPair(id, secret, token), credentialsFrom: "AWS_ACCESS_KEY_ID" };
    if (id || secret)
      throw new OperatorError(
        `${id ? "AWS_ACCESS_KEY_ID" : "AWS_SECRET_ACCESS_KEY"} is set without ${id ? "AWS_SECRET_ACCESS_KEY" : "AWS_ACCESS_KEY_ID"}`,
        2,
      );
    const file = rootKeyFile(dataFolder(flags, environment));
    // Without TLS nobody listens beyond loopback, where the well-known key counts.
    const kept = isSecure(url) ? readRootKey(file) : undefined;
    return rootOf(kept ?? parseRootKey(standard), kept === undefined ? "default" : file);
  }
  return rootOf(parseRootKey(checked("rootKey", given)), given.from);
}

function rootOf({ id, secret }: RootKey, credentialsFrom: string) {
  return { credentials: keyPair(id, secret, undefined), credentialsFrom };
}

function isSecure(url: string): boolean {
  return url.startsWith("https:");
}

function keyPair(accessKeyId: string, secretAccessKey: string, sessionToken: string | undefined) {
  return { accessKeyId, secretAccessKey, ...(sessionToken ? { sessionToken } : {}) };
}

function checked(name: "region" | "rootKey", { from, value }: Given): string {
  const parsed = schema.shape[name].safeParse(value);
  if (!parsed.success)
    throw new OperatorError(`${from}: ${parsed.error.issues[0]?.message ?? "is wrong"}`, 2);
  return value;
}

function asked(from: string, value: string | undefined): Given | undefined {
  return value === undefined ? undefined : { from, value };
}

function firstOf(variables: readonly string[], environment: NodeJS.ProcessEnv): Given | undefined {
  const from = variables.find((name) => environment[name]);
  return from === undefined ? undefined : { from, value: environment[from] ?? "" };
}
