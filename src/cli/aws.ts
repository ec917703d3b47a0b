import type { CommandInput, CliHost } from "./command.ts";
import { text } from "./options.ts";

export interface Endpoint {
  readonly endpoint: string;
  readonly region: string;
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string };
}

/** The endpoint and root credentials that the configuration (environment, defaults) tells of. */
export function endpointOf(input: CommandInput, host: CliHost): Endpoint {
  const config = host.loadConfig({ region: input.options["region"] });
  return endpointFor(
    text(input, "endpoint") ??
      `http://${config.host.includes(":") ? `[${config.host}]` : config.host}:${config.port}`,
    config.region,
    config.rootKey,
  );
}

export function endpointFor(endpoint: string, region: string, rootKey: string): Endpoint {
  const colon = rootKey.indexOf(":");
  return {
    endpoint,
    region,
    credentials: { accessKeyId: rootKey.slice(0, colon), secretAccessKey: rootKey.slice(colon + 1) },
  };
}

/** The official Lambda client, loaded only when a command needs it (it costs some 100 ms). */
export async function lambdaClient(endpoint: Endpoint) {
  const { LambdaClient } = await import("@aws-sdk/client-lambda");
  return new LambdaClient({ ...endpoint, maxAttempts: 1 });
}

export async function logsClient(endpoint: Endpoint) {
  const { CloudWatchLogsClient } = await import("@aws-sdk/client-cloudwatch-logs");
  return new CloudWatchLogsClient({ ...endpoint, maxAttempts: 1 });
}
