import { Readable } from "node:stream";
import type { ResponseSink } from "#engine/contract";
import { headOf, isObject } from "./response.ts";
import type { ResponseHead } from "./types.ts";

const INTEGRATION = "application/vnd.awslambda.http-integration-response";
/** What a streaming function sends ahead of its body ends with these. */
const DELIMITER_ZEROS = 8;
/** More than this of status, headers and cookies is none that a client would read. */
const MAX_PRELUDE_BYTES = 256 * 1024;

/**
 * A response on its way from the function to an HTTP client. It holds the function back once 64 KB wait for the client; a
 * client that goes away leaves the function running (developer guide, "Response streaming for Lambda functions").
 */
export class StreamedResponse implements ResponseSink {
  /** Resolves once there is something to answer; undefined where what came ahead of the body cannot be read. */
  readonly head: Promise<ResponseHead | undefined>;
  readonly body: Readable;
  #answer: (head: ResponseHead | undefined) => void = () => undefined;
  /** What has come of the prelude; undefined before it and after it. */
  #prelude: Prelude | undefined;
  #malformed = false;
  #begun = false;
  #answered = false;
  #wake: () => void = () => undefined;

  constructor() {
    this.head = new Promise((resolve) => {
      this.#answer = (head) => {
        this.#answered = true;
        resolve(head);
      };
    });
    this.body = new Readable({
      highWaterMark: 64 * 1024,
      read: () => this.#wake(),
      destroy: (error, done) => {
        this.#wake();
        done(error);
      },
    });
  }

  /** Whether `head` has been decided. */
  get answered(): boolean {
    return this.#answered;
  }

  begin(contentType: string): void {
    this.#begun = true;
    if (contentType === INTEGRATION) this.#prelude = new Prelude();
    else this.#answer({ status: 200, headers: { "content-type": contentType } });
  }

  write(bytes: Uint8Array): Promise<void> {
    const rest = this.#prelude === undefined ? bytes : this.#readPrelude(this.#prelude, bytes);
    if (rest.length === 0 || this.#malformed || this.body.destroyed || this.body.push(rest))
      return Promise.resolve();
    return new Promise((resolve) => (this.#wake = resolve));
  }

  /** The invocation is over, and every part has been written. @param failed the function, after it had begun to answer */
  complete(failed: boolean): void {
    if (!this.#begun || this.#prelude !== undefined || this.#malformed) this.#answer(undefined);
    // Cut off, so that the client does not take it for all there is.
    if (failed) this.body.destroy();
    else if (!this.body.destroyed) this.body.push(null);
  }

  /** @returns what of `bytes` is body already */
  #readPrelude(prelude: Prelude, bytes: Uint8Array): Uint8Array {
    const end = prelude.take(bytes);
    if (end === undefined) return bytes.subarray(bytes.length);
    this.#prelude = undefined;
    const head = prelude.head();
    this.#malformed = head === undefined;
    this.#answer(head);
    return bytes.subarray(end);
  }
}

/** Gathers what comes ahead of a body. Each byte is looked at once, however small the parts are that a function writes. */
class Prelude {
  readonly #parts: Uint8Array[] = [];
  #bytes = 0;
  #zeros = 0;

  /** @returns where in `bytes` the body begins; undefined where it has not come yet */
  take(bytes: Uint8Array): number | undefined {
    let at = 0;
    while (at < bytes.length && this.#zeros < DELIMITER_ZEROS)
      this.#zeros = bytes[at++] === 0 ? this.#zeros + 1 : 0;
    this.#parts.push(bytes.subarray(0, at));
    this.#bytes += at;
    return this.#zeros === DELIMITER_ZEROS || this.#bytes > MAX_PRELUDE_BYTES ? at : undefined;
  }

  head(): ResponseHead | undefined {
    if (this.#bytes > MAX_PRELUDE_BYTES) return undefined;
    return parseHead(Buffer.concat(this.#parts).subarray(0, -DELIMITER_ZEROS));
  }
}

function parseHead(text: Buffer): ResponseHead | undefined {
  try {
    const value: unknown = JSON.parse(text.toString());
    return isObject(value) ? headOf(value) : undefined;
  } catch {
    return undefined;
  }
}
