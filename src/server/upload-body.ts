import type { IncomingMessage } from "node:http";
import { Readable } from "node:stream";

/**
 * The body of a request that is still coming. Destroying it leaves the connection alone, so that whoever stops reading
 * can still answer; it ends in an error with the code ECONNRESET where the client went away before the end.
 */
export class UploadBody extends Readable {
  readonly #incoming: IncomingMessage;

  constructor(incoming: IncomingMessage) {
    super();
    this.#incoming = incoming;
    incoming.on("data", this.#take).pause();
    incoming.once("end", () => this.push(null));
    const lost = (): void => {
      if (!incoming.complete) this.destroy(connectionLost());
    };
    incoming.once("error", lost);
    incoming.once("close", lost);
  }

  readonly #take = (chunk: Buffer): void => {
    if (!this.push(chunk)) this.#incoming.pause();
  };

  override _read(): void {
    this.#incoming.resume();
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#incoming.off("data", this.#take);
    done(error);
  }
}

function connectionLost(): Error {
  return Object.assign(new Error("the client went away in the middle of its request"), {
    code: "ECONNRESET",
  });
}
