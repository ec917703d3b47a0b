import { createHash, createHmac } from "node:crypto";
import type { SignedRequest } from "#cli/bench/signing";

const sha256 = (text: string): string => createHash("sha256").update(text).digest("hex");
const hmac = (key: Buffer | string, text: string): Buffer => createHmac("sha256", key).update(text).digest();

export interface Signer {
  readonly url: string;
  readonly region: string;
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string };
}

/**
 * Signs asynchronous invokes, some 30 µs each: the official signer takes so long for a hundred thousand that the first
 * signatures have expired before the last is made (AWS General Reference, "Signature Version 4 signing process").
 */
export function signerOfEvents({ url, region, credentials }: Signer, functionName: string) {
  const { host } = new URL(url);
  const date = new Date().toISOString().replaceAll(/[-:]|\.\d{3}/g, "");
  const scope = `${date.slice(0, 8)}/${region}/lambda/aws4_request`;
  const key = scope
    .split("/")
    .reduce<Buffer | string>((secret, part) => hmac(secret, part), `AWS4${credentials.secretAccessKey}`);
  const path = `/2015-03-31/functions/${functionName}/invocations`;
  const signed = "host;x-amz-date;x-amz-invocation-type";
  return (payload: unknown): SignedRequest => {
    const body = JSON.stringify(payload);
    const headers = { host, "x-amz-date": date, "x-amz-invocation-type": "Event" };
    const lines = Object.entries(headers).map(([name, value]) => `${name}:${value}\n`);
    const canonical = ["POST", path, "", lines.join(""), signed, sha256(body)].join("\n");
    const text = ["AWS4-HMAC-SHA256", date, scope, sha256(canonical)].join("\n");
    const signature = hmac(key, text).toString("hex");
    const authorization = `AWS4-HMAC-SHA256 Credential=${credentials.accessKeyId}/${scope}, SignedHeaders=${signed}, Signature=${signature}`;
    return { method: "POST", path, headers: { ...headers, authorization }, body };
  };
}
