import { once } from "node:events";
import { createGzip } from "node:zlib";

/** Bytes of text, and of what it is compressed to, that one object has at most, but for the last piece. */
const MOST_TEXT = 64 << 20;
const MOST_COMPRESSED = 8 << 20;

/** Text on its way to one object in gzip's format. */
export class CompressedText {
  readonly #gzip = createGzip();
  readonly #pieces: Buffer[] = [];
  #text = 0;
  #compressed = 0;

  constructor() {
    this.#gzip.on("data", (piece: Buffer) => {
      this.#pieces.push(piece);
      this.#compressed += piece.length;
    });
  }

  get full(): boolean {
    return this.#text >= MOST_TEXT || this.#compressed >= MOST_COMPRESSED;
  }

  async write(text: string): Promise<void> {
    this.#text += text.length;
    if (!this.#gzip.write(text)) await once(this.#gzip, "drain");
  }

  async end(): Promise<Buffer> {
    this.#gzip.end();
    await once(this.#gzip, "end");
    return Buffer.concat(this.#pieces);
  }

  /** Gives back what it holds, where it was not ended. */
  destroy(): void {
    this.#gzip.destroy();
  }
}
