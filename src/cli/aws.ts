import type { ClientConfig } from "#config/client";
import { trusted } from "./trust.ts";

/** What AWS's clients take of a client configuration. */
export type Endpoint = Pick<ClientConfig, "endpoint" | "region" | "credentials" | "caBundle">;

/** The official Lambda client, loaded only when a command needs it (it costs some 100 ms). */
export async function lambdaClient(endpoint: Endpoint) {
  const { LambdaClient } = await import("@aws-sdk/client-lambda");
  return new LambdaClient(settings(endpoint));
}

export async function logsClient(endpoint: Endpoint) {
  const { CloudWatchLogsClient } = await import("@aws-sdk/client-cloudwatch-logs");
  return new CloudWatchLogsClient(settings(endpoint));
}

export async function cloudwatchClient(endpoint: Endpoint) {
  const { CloudWatchClient } = await import("@aws-sdk/client-cloudwatch");
  return new CloudWatchClient(settings(endpoint));
}

export async function iamClient(endpoint: Endpoint) {
  const { IAMClient } = await import("@aws-sdk/client-iam");
  return new IAMClient(settings(endpoint));
}

function settings({ endpoint, region, credentials, caBundle }: Endpoint) {
  const tls = caBundle === undefined ? {} : { requestHandler: { httpsAgent: { ca: trusted(caBundle) } } };
  return { endpoint, region, credentials, maxAttempts: 1, ...tls };
}

export async function xrayClient({ endpoint, region, credentials }: Endpoint) {
  const { XRayClient } = await import("@aws-sdk/client-xray");
  return new XRayClient({ endpoint, region, credentials, maxAttempts: 1 });
}
