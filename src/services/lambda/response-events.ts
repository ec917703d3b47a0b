import type { InvokeWithResponseStreamResponseEvent } from "@aws-sdk/client-lambda";
import type { InvocationResult, ResponseSink } from "#engine/contract";

interface Part {
  readonly bytes: Uint8Array;
  readonly taken: () => void;
}

/**
 * A response as the events of InvokeWithResponseStream: its parts as they come, then how the invocation ended. It keeps one
 * part at a time, and lets the function go on once the reader asks for the next.
 */
export class ResponseEvents implements ResponseSink {
  /** Resolves when there is something to answer: the response has begun, or the invocation ended without one. */
  readonly begun: Promise<void>;
  #begin: () => void = () => undefined;
  #part: Part | undefined;
  #result: InvocationResult | undefined;
  #failure: { readonly error: unknown } | undefined;
  #abandoned = false;
  #wake: () => void = () => undefined;

  constructor() {
    this.begun = new Promise((resolve) => (this.#begin = resolve));
  }

  begin(): void {
    this.#begin();
  }

  write(bytes: Uint8Array): Promise<void> {
    if (this.#abandoned) return Promise.resolve();
    return new Promise((taken) => {
      this.#part = { bytes, taken };
      this.#wake();
    });
  }

  /** The invocation is over, and every part has been written. */
  complete(result: InvocationResult): void {
    this.#result = result;
    this.#begin();
    this.#wake();
  }

  /** The engine gave the invocation up: the stream ends with an error. */
  fail(error: unknown): void {
    this.#failure = { error };
    this.#wake();
  }

  /**
   * The events, to be read once. A reader that goes away, as a client does that hangs up, leaves the function running: "the
   * streamed response is not interrupted or stopped" (AWS Lambda Developer Guide, "Response streaming for Lambda functions").
   */
  async *read(): AsyncGenerator<InvokeWithResponseStreamResponseEvent> {
    try {
      for (;;) {
        const part = this.#part;
        if (part !== undefined) {
          yield { PayloadChunk: { Payload: part.bytes } };
          this.#part = undefined;
          part.taken();
        } else if (this.#failure !== undefined) {
          throw this.#failure.error;
        } else if (this.#result === undefined) {
          // oxlint-disable-next-line no-await-in-loop
          await new Promise<void>((resolve) => (this.#wake = resolve));
        } else {
          yield { InvokeComplete: describeEnd(this.#result) };
          return;
        }
      }
    } finally {
      this.#abandoned = true;
      this.#part?.taken();
    }
  }
}

function describeEnd({ payload, functionError, logTail }: InvocationResult) {
  return {
    ...(functionError === undefined
      ? {}
      : { ErrorCode: functionError, ErrorDetails: Buffer.from(payload).toString() }),
    ...(logTail === undefined ? {} : { LogResult: Buffer.from(logTail).toString("base64") }),
  };
}
