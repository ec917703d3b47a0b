import { expect, it } from "vitest";
import { cloudwatchClient, iamClient, lambdaClient, logsClient, xrayClient } from "./aws.ts";

const credentials = { accessKeyId: "AKID", secretAccessKey: "secret" };

/** Where each client sends its requests, and how often it tries. */
async function addresses(endpoint: string, region: string): Promise<readonly string[]> {
  const at = { endpoint, region, credentials };
  const clients = await Promise.all(
    [lambdaClient, logsClient, cloudwatchClient, iamClient, xrayClient].map((make) => make(at)),
  );
  return Promise.all(
    clients.map(async ({ config }) => {
      const { protocol, hostname, port } = (await config.endpoint?.()) ?? {};
      return `${protocol}//${hostname}${port === undefined ? "" : `:${port}`} ${await config.maxAttempts()}`;
    }),
  );
}

it("a platform has one address for all services", async () => {
  expect(new Set(await addresses("http://127.0.0.1:4566", "eu-west-1"))).toEqual(
    new Set(["http://127.0.0.1:4566 1"]),
  );
});

it("AWS has one for each service and region", async () => {
  expect(await addresses("https://amazonaws.com", "eu-west-1")).toEqual([
    "https://lambda.eu-west-1.amazonaws.com 4",
    "https://logs.eu-west-1.amazonaws.com 4",
    "https://monitoring.eu-west-1.amazonaws.com 4",
    "https://iam.amazonaws.com 4",
    "https://xray.eu-west-1.amazonaws.com 4",
  ]);
  expect(await addresses("https://amazonaws.com.cn", "cn-north-1")).toContain(
    "https://logs.cn-north-1.amazonaws.com.cn 4",
  );
});
