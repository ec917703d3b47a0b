import type { ServerResponse } from "node:http";

/** Counts requests that are handled, each until its handler has settled and its response has gone out. */
export class RequestsUnderWay {
  #open = 0;
  #drained: (() => void) | undefined;

  get draining(): boolean {
    return this.#drained !== undefined;
  }

  begin(outgoing: ServerResponse): void {
    this.#open += 2;
    // Comes after the last byte of a response, and also where the client went away.
    outgoing.on("close", this.end);
  }

  readonly end = (): void => {
    this.#open--;
    if (this.#open === 0) this.#drained?.();
  };

  drain(): Promise<void> {
    return new Promise((resolve) => {
      this.#drained = resolve;
      if (this.#open === 0) resolve();
    });
  }
}
