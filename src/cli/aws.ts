import type { ClientConfig } from "#config/client";

/** What AWS's clients take of a client configuration. */
export type Endpoint = Pick<ClientConfig, "endpoint" | "region" | "credentials">;

/** The official Lambda client, loaded only when a command needs it (it costs some 100 ms). */
export async function lambdaClient({ endpoint, region, credentials }: Endpoint) {
  const { LambdaClient } = await import("@aws-sdk/client-lambda");
  return new LambdaClient({ endpoint, region, credentials, maxAttempts: 1 });
}

export async function logsClient({ endpoint, region, credentials }: Endpoint) {
  const { CloudWatchLogsClient } = await import("@aws-sdk/client-cloudwatch-logs");
  return new CloudWatchLogsClient({ endpoint, region, credentials, maxAttempts: 1 });
}

export async function cloudwatchClient({ endpoint, region, credentials }: Endpoint) {
  const { CloudWatchClient } = await import("@aws-sdk/client-cloudwatch");
  return new CloudWatchClient({ endpoint, region, credentials, maxAttempts: 1 });
}

export async function iamClient({ endpoint, region, credentials }: Endpoint) {
  const { IAMClient } = await import("@aws-sdk/client-iam");
  return new IAMClient({ endpoint, region, credentials, maxAttempts: 1 });
}

export async function xrayClient({ endpoint, region, credentials }: Endpoint) {
  const { XRayClient } = await import("@aws-sdk/client-xray");
  return new XRayClient({ endpoint, region, credentials, maxAttempts: 1 });
}
