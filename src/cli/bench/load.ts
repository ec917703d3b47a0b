import { Agent, request } from "node:http";
import autocannon from "autocannon";
import type { SignedRequest } from "./signing.ts";

export interface Throughput {
  /** Requests a second. */
  readonly rate: number;
  /** All that were answered. */
  readonly count: number;
}

/** Sends requests by `connections` connections for `seconds`. @throws Error where any answer is not 2xx */
export async function throughput(
  url: string,
  requests: readonly SignedRequest[],
  connections: number,
  seconds: number,
): Promise<Throughput> {
  const result = await autocannon({ url, connections, duration: seconds, requests: [...requests] });
  if (result.non2xx > 0 || result.errors > 0)
    throw new Error(`${result.non2xx} answers were not 2xx, ${result.errors} connections failed`);
  const { total } = result.requests;
  return { rate: total / result.duration, count: total };
}

/** Round-trip times in milliseconds, one request after the other over one kept-alive connection. */
export async function latencies(url: string, requests: readonly SignedRequest[]): Promise<number[]> {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const times: number[] = [];
  for (const signed of requests) times.push((await send(url, signed, agent)).ms);
  agent.destroy();
  return times;
}

/** Sends one request and resolves with its round-trip time and body. @throws Error where the answer is not 2xx */
export function send(
  url: string,
  signed: SignedRequest,
  agent?: Agent,
): Promise<{ ms: number; body: string }> {
  return new Promise((resolve, reject) => {
    const started = performance.now();
    const outgoing = request(
      new URL(signed.path, url),
      { method: signed.method, headers: signed.headers, ...(agent === undefined ? {} : { agent }) },
      (response) => {
        const chunks: Buffer[] = [];
        response.on("data", (chunk: Buffer) => chunks.push(chunk));
        response.on("end", () => {
          const body = Buffer.concat(chunks).toString("utf8");
          const status = response.statusCode ?? 0;
          if (status >= 200 && status < 300) resolve({ ms: performance.now() - started, body });
          else reject(new Error(`HTTP ${status}: ${body}`));
        });
      },
    );
    outgoing.on("error", reject);
    outgoing.end(signed.body);
  });
}
