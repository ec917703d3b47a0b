import type { IncomingMessage, ServerResponse } from "node:http";
import { promisify } from "node:util";
import { gunzip } from "node:zlib";
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
/** The same for a request in OTLP; what its body is unpacked to counts. */
const OF_REQUEST = 64;
const MOST_OTLP_BODY = 512 * 1024;
const MOST_UNPACKED = 1536 * 1024;
/** Statistics of 25 rules are a few kB. */
const MOST_BODY = 64 * 1024;

interface Answer {
  readonly status: number;
  readonly type: string;
  readonly body: string | Uint8Array;
}

const TOO_MANY: Answer = { status: 429, type: "text/plain", body: "" };
const TOO_LARGE: Answer = { status: 413, type: "text/plain", body: "" };
const UNREADABLE: Answer = { status: 400, type: "text/plain", body: "" };

const unpack = promisify(gunzip);

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
    if (!this.#may(OF_EACH + bytes.length / 1024)) return this.#traces.dropped("too many");
    const document = documentIn(bytes);
    if (document === undefined) this.#traces.dropped("malformed");
    else this.#traces.document(this.#spec, document);
  }

  /** What SDKs ask the daemon by TCP. */
  sampling(operation: SamplingOperation, request: IncomingMessage, response: ServerResponse): Promise<void> {
    return this.#answer(request, response, MOST_BODY, async (body) => ({
      ...(await this.#traces.sampling(this.#spec, operation, body)),
      type: "application/json",
    }));
  }

  /** What OpenTelemetry's SDKs send. @param path such as `/v1/traces` */
  otlp(path: string, request: IncomingMessage, response: ServerResponse): Promise<void> {
    return this.#answer(request, response, MOST_OTLP_BODY, async (body) => {
      if (!this.#may(OF_REQUEST + body.length / 1024)) return TOO_MANY;
      const headers = request.headers as Readonly<Record<string, string | undefined>>;
      if (headers["content-encoding"] !== "gzip") return this.#traces.otlp(this.#spec, path, headers, body);
      let unpacked: Buffer;
      try {
        unpacked = await unpack(body, { maxOutputLength: MOST_UNPACKED });
      } catch (error) {
        return (error as NodeJS.ErrnoException).code === "ERR_BUFFER_TOO_LARGE" ? TOO_LARGE : UNREADABLE;
      }
      if (!this.#may(Math.max(0, unpacked.length - body.length) / 1024)) return TOO_MANY;
      return this.#traces.otlp(this.#spec, path, { ...headers, "content-encoding": undefined }, unpacked);
    });
  }

  #may(cost: number): boolean {
    return this.#allowance.take(this.#clock.monotonic(), cost) === 0;
  }

  /** One request at a time: an environment may have 128 connections. */
  async #answer(
    request: IncomingMessage,
    response: ServerResponse,
    limit: number,
    respond: (body: Buffer) => Promise<Answer>,
  ): Promise<void> {
    if (this.#asking) {
      request.resume();
      response.writeHead(429).end();
      return;
    }
    this.#asking = true;
    try {
      const body = await readBody(request, limit);
      if (body.kind === "cut-off") return;
      if (body.kind === "too-large") {
        response.writeHead(413).end();
        return;
      }
      const answer = await respond(body.bytes);
      response.writeHead(answer.status, { "Content-Type": answer.type }).end(answer.body);
    } finally {
      this.#asking = false;
    }
  }
}
