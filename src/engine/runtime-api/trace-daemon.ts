import type { IncomingMessage, ServerResponse } from "node:http";
import type { Clock } from "#core/clock";
import { documentIn } from "#telemetry/daemon-datagram";
import { TokenBucket } from "../concurrency/token-bucket.ts";
import type { FunctionSpec, GuestTraces, SamplingOperation } from "../contract.ts";
import { readBody } from "./body.ts";

/**
 * What an environment may send in a second, and at once after a pause, in KiB, where each document counts as two more: what
 * is beyond is dropped unread. Reading 1 MB of documents takes the platform 10 ms.
 */
const PER_SECOND = 1024;
const AT_ONCE = 2048;
const OF_EACH = 2;
/** Statistics of 25 rules are a few kB. */
const MOST_BODY = 64 * 1024;

/**
 * X-Ray's daemon as one environment sees it: what its processes send is recorded in the name of its function, and nobody
 * else's. Nothing that it is sent fails.
 */
export class TraceDaemon {
  readonly #spec: FunctionSpec;
  readonly #traces: GuestTraces;
  readonly #clock: Clock;
  readonly #allowance = new TokenBucket(AT_ONCE, PER_SECOND);
  #asking = false;

  constructor(spec: FunctionSpec, traces: GuestTraces, clock: Clock) {
    this.#spec = spec;
    this.#traces = traces;
    this.#clock = clock;
  }

  datagram(bytes: Buffer): void {
    const cost = OF_EACH + bytes.length / 1024;
    if (this.#allowance.take(this.#clock.monotonic(), cost) > 0) return this.#traces.dropped("too many");
    const document = documentIn(bytes);
    if (document === undefined) this.#traces.dropped("malformed");
    else this.#traces.document(this.#spec, document);
  }

  /** What SDKs ask the daemon by TCP, one at a time. */
  async sampling(
    operation: SamplingOperation,
    request: IncomingMessage,
    response: ServerResponse,
  ): Promise<void> {
    if (this.#asking) {
      request.resume();
      response.writeHead(429).end();
      return;
    }
    this.#asking = true;
    try {
      const body = await readBody(request, MOST_BODY);
      if (body.kind === "cut-off") return;
      if (body.kind === "too-large") {
        response.writeHead(413).end();
        return;
      }
      const answer = await this.#traces.sampling(this.#spec, operation, body.bytes);
      response.writeHead(answer.status, { "Content-Type": "application/json" }).end(answer.body);
    } finally {
      this.#asking = false;
    }
  }
}
