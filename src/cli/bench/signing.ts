import { createHash, createHmac, type Hash, type Hmac } from "node:crypto";
import { SignatureV4 } from "@smithy/signature-v4";
import type { Checksum, SourceData } from "@smithy/types";
import type { Endpoint } from "../aws.ts";

/** The hash that the official signer asks for, over node:crypto. */
export class Sha256 implements Checksum {
  readonly #hash: Hash | Hmac;
  constructor(secret?: SourceData) {
    this.#hash = secret === undefined ? createHash("sha256") : createHmac("sha256", bytes(secret));
  }
  update(data: SourceData): void {
    this.#hash.update(bytes(data));
  }
  async digest(): Promise<Uint8Array> {
    return this.#hash.digest();
  }
  reset(): void {
    throw new Error("the signer never reuses a hash");
  }
}

function bytes(data: SourceData): Uint8Array {
  if (typeof data === "string") return Buffer.from(data);
  return data instanceof ArrayBuffer
    ? new Uint8Array(data)
    : new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}

export interface SignedRequest {
  readonly method: "POST";
  readonly path: string;
  readonly headers: Record<string, string>;
  readonly body: string;
}

/** Signs an Invoke; a number in the event makes each signature another. */
export async function signInvoke(
  endpoint: Endpoint,
  functionName: string,
  number: number,
  type: "RequestResponse" | "Event" = "RequestResponse",
): Promise<SignedRequest> {
  const { host, hostname, protocol } = new URL(endpoint.endpoint);
  const signer = new SignatureV4({
    service: "lambda",
    region: endpoint.region,
    credentials: endpoint.credentials,
    sha256: Sha256,
  });
  const path = `/2015-03-31/functions/${functionName}/invocations`;
  const body = JSON.stringify({ order_id: number });
  const signed = await signer.sign({
    method: "POST",
    protocol,
    hostname,
    path,
    headers: { host, "content-type": "application/json", "x-amz-invocation-type": type },
    body,
  });
  return { method: "POST", path, headers: { ...signed.headers }, body };
}
