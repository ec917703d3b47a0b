import type { ClientConfig } from "#config/client";
import { trusted } from "./trust.ts";

/** What AWS's clients take of a client configuration. */
export type Endpoint = Pick<ClientConfig, "endpoint" | "region" | "credentials" | "caBundle">;

/** The official Lambda client, loaded only when a command needs it (it costs some 100 ms). */
export async function lambdaClient(endpoint: Endpoint) {
  const { LambdaClient } = await import("@aws-sdk/client-lambda");
  return new LambdaClient(settings("lambda", endpoint));
}

export async function logsClient(endpoint: Endpoint) {
  const { CloudWatchLogsClient } = await import("@aws-sdk/client-cloudwatch-logs");
  return new CloudWatchLogsClient(settings("logs", endpoint));
}

export async function cloudwatchClient(endpoint: Endpoint) {
  const { CloudWatchClient } = await import("@aws-sdk/client-cloudwatch");
  return new CloudWatchClient(settings("monitoring", endpoint));
}

export async function iamClient(endpoint: Endpoint) {
  const { IAMClient } = await import("@aws-sdk/client-iam");
  return new IAMClient(settings("iam", endpoint));
}

export async function xrayClient(endpoint: Endpoint) {
  const { XRayClient } = await import("@aws-sdk/client-xray");
  return new XRayClient(settings("xray", endpoint));
}

function settings(service: Service, { endpoint, region, credentials, caBundle }: Endpoint) {
  const tls = caBundle === undefined ? {} : { requestHandler: { httpsAgent: { ca: trusted(caBundle) } } };
  const { address, attempts } = addressOf(service, endpoint, region);
  return { endpoint: address, region, credentials, maxAttempts: attempts, ...tls };
}

/** As the first labels of AWS's own host names. */
type Service = "lambda" | "logs" | "monitoring" | "iam" | "xray";

/** A platform has one address; AWS, named by its domain alone, has one a service, and asks its clients to wait at times. */
function addressOf(
  service: Service,
  endpoint: string,
  region: string,
): { readonly address: string; readonly attempts: number } {
  const { hostname } = new URL(endpoint);
  if (hostname !== "amazonaws.com" && hostname !== "amazonaws.com.cn")
    return { address: endpoint, attempts: 1 };
  // IAM is one service for all regions of a partition.
  const place =
    service === "iam" ? (hostname.endsWith(".cn") ? "iam.cn-north-1" : "iam") : `${service}.${region}`;
  return { address: `https://${place}.${hostname}`, attempts: 4 };
}
