import { asRecord } from "../../environment/frame-channel.ts";
import { ApiError } from "../reply.ts";

export type TelemetryType = "platform" | "function" | "extension";

/** The older Logs API (2020-08-15) and the Telemetry API (2022-07-01) differ in their words and in the records they send. */
export type TelemetryApi = "Logs" | "Telemetry";

export interface Subscription {
  readonly api: TelemetryApi;
  readonly schemaVersion: string;
  readonly types: readonly TelemetryType[];
  readonly destination: Destination;
  readonly maxItems: number;
  readonly maxBytes: number;
  readonly timeoutMs: number;
}

export type Destination =
  | {
      readonly protocol: "HTTP";
      readonly port: number;
      readonly path: string;
      readonly method: "POST" | "PUT";
    }
  | { readonly protocol: "TCP"; readonly port: number };

const SCHEMAS: Readonly<Record<TelemetryApi, readonly [string, ...string[]]>> = {
  Logs: ["2020-08-15", "2021-03-18"],
  Telemetry: ["2022-07-01", "2022-12-13", "2025-01-29"],
};

/** AWS keeps it for its own API ("Destination protocols"). */
const RESERVED_PORT = 9001;

/**
 * Reads a subscription. Bounds and defaults are those of AWS Lambda Developer Guide, "Configuring memory usage and buffering".
 * @throws ApiError with all that is wrong in one message, as AWS tells it
 */
export function parseSubscription(api: TelemetryApi, body: Buffer): Subscription {
  let value: unknown;
  try {
    value = JSON.parse(body.toString("utf8"));
  } catch {
    throw invalid(api, ["request body is not valid JSON"]);
  }
  const problems: string[] = [];
  const { types, destination, buffering, schemaVersion } = asRecord(value);
  const schemas = SCHEMAS[api];
  const schema = schemaVersion ?? schemas[0];
  if (typeof schema !== "string" || !schemas.includes(schema))
    problems.push("schemaVersion is not supported");
  const wanted = readTypes(types, problems);
  const target = readDestination(destination, api, problems);
  const limits = asRecord(buffering);
  const number = (name: string, fallback: number, least: number, most: number): number => {
    const given = limits[name] ?? fallback;
    if (Number.isInteger(given) && (given as number) >= least && (given as number) <= most)
      return given as number;
    problems.push(`${name} must be between ${least} and ${most}`);
    return fallback;
  };
  const maxItems = number("maxItems", 10_000, 1000, 10_000);
  const maxBytes = number("maxBytes", 262_144, 262_144, 1_048_576);
  const timeoutMs = number("timeoutMs", 1000, 25, 30_000);
  if (problems.length > 0 || target === undefined || typeof schema !== "string") throw invalid(api, problems);
  return { api, schemaVersion: schema, types: wanted, destination: target, maxItems, maxBytes, timeoutMs };
}

function readTypes(types: unknown, problems: string[]): readonly TelemetryType[] {
  if (!Array.isArray(types) || types.length === 0) {
    problems.push("types should not be empty");
    return [];
  }
  const known = types.filter(
    (type): type is TelemetryType => type === "platform" || type === "function" || type === "extension",
  );
  if (known.length < types.length) problems.push("types must be platform, function or extension");
  return [...new Set(known)];
}

function readDestination(
  destination: unknown,
  api: TelemetryApi,
  problems: string[],
): Destination | undefined {
  const { protocol, URI, port, method } = asRecord(destination);
  if (protocol === "TCP") {
    if (isPort(port)) return { protocol, port };
    problems.push("port is not provided");
    return undefined;
  }
  if (protocol !== "HTTP") {
    problems.push("destination protocol must be HTTP or TCP");
    return undefined;
  }
  const url = typeof URI === "string" && URI.length <= 2048 ? parseUrl(URI) : undefined;
  if (url === undefined || url.protocol !== "http:") {
    problems.push("URI is not valid");
    return undefined;
  }
  // Delivered into the sandbox alone; these are its names for itself.
  if (!["sandbox", "sandbox.localdomain", "sandbox.local", "localhost", "127.0.0.1"].includes(url.hostname)) {
    problems.push("URI host must be sandbox.localdomain");
    return undefined;
  }
  const given = Number(url.port);
  if (!isPort(given)) {
    problems.push(url.port === "" ? "URI port is not provided" : "URI port is reserved");
    return undefined;
  }
  return {
    protocol,
    port: given,
    path: url.pathname + url.search,
    method: method === "PUT" && api === "Logs" ? "PUT" : "POST",
  };
}

function isPort(port: unknown): port is number {
  return (
    Number.isInteger(port) && (port as number) > 0 && (port as number) < 65_536 && port !== RESERVED_PORT
  );
}

function parseUrl(text: string): URL | undefined {
  try {
    return new URL(text);
  } catch {
    return undefined;
  }
}

function invalid(api: TelemetryApi, problems: readonly string[]): ApiError {
  return new ApiError(400, `${api}.ValidationError`, problems.join("; "));
}
