/** Frame types of guest/PROTOCOL.md. */
export const FRAME = {
  init: 0x01,
  invoke: 0x02,
  shutdown: 0x03,
  credit: 0x04,
  restore: 0x05,
  hello: 0x81,
  initDone: 0x82,
  initError: 0x83,
  response: 0x84,
  error: 0x85,
  log: 0x86,
  exit: 0x87,
  responseStart: 0x88,
  responseChunk: 0x89,
  responseEnd: 0x8a,
  returned: 0x8b,
  lateLog: 0x8c,
} as const;

/** The most that a frame's length may say: 32 MiB. */
export const MAX_FRAME_BYTES = 32 * 1024 * 1024;

/** The most that a header may have: it holds ids and figures, and parsing it must not hold up the platform. */
export const MAX_HEADER_BYTES = 64 * 1024;

/** Small chunks of an unfinished frame are gathered in buffers of this size. */
const SLAB_BYTES = 64 * 1024;

/** The guest broke the protocol; its environment cannot be used again. */
export class FrameError extends Error {
  readonly reason: "too-large" | "malformed";
  constructor(reason: "too-large" | "malformed", message: string) {
    super(message);
    this.name = "FrameError";
    this.reason = reason;
  }
}

/** Writes a frame whose body is `body`. */
export function encodeFrame(type: number, body: Uint8Array | string = ""): Buffer {
  const bytes = typeof body === "string" ? Buffer.byteLength(body) : body.length;
  const frame = Buffer.allocUnsafe(5 + bytes);
  frame.writeUInt32BE(1 + bytes, 0);
  frame[4] = type;
  if (typeof body === "string") frame.write(body, 5);
  else frame.set(body, 5);
  return frame;
}

/** Writes a frame with a headed body, in one buffer so that it goes out in one system call. */
export function encodeHeadedFrame(type: number, header: string, body: Uint8Array): Buffer {
  const headerBytes = Buffer.byteLength(header);
  const frame = Buffer.allocUnsafe(9 + headerBytes + body.length);
  frame.writeUInt32BE(5 + headerBytes + body.length, 0);
  frame[4] = type;
  frame.writeUInt32BE(headerBytes, 5);
  frame.write(header, 9);
  frame.set(body, 9 + headerBytes);
  return frame;
}

/** Splits a headed body. The header is any JSON value: check what is in it. @throws FrameError */
export function splitHeaded(body: Buffer): { header: unknown; bytes: Buffer } {
  if (body.length < 4) throw new FrameError("malformed", "a headed body is shorter than its header's length");
  const end = 4 + body.readUInt32BE(0);
  if (end - 4 > MAX_HEADER_BYTES) throw new FrameError("malformed", "a header is too long");
  if (end > body.length) throw new FrameError("malformed", "a header is longer than its body");
  return { header: parseJson(body.toString("utf8", 4, end)), bytes: body.subarray(end) };
}

/** @throws FrameError */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    throw new FrameError("malformed", "a frame's JSON cannot be read");
  }
}

/**
 * Cuts a stream of bytes into frames. Bodies are views of the bytes that came, so they must not be written to; only a
 * frame that came in pieces is copied, once.
 */
export class FrameParser {
  readonly #onFrame: (type: number, body: Buffer) => void;
  readonly #maxBytes: number;
  #pieces: Buffer[] = [];
  /** The last piece's buffer where it is one of ours, with room behind it for more small chunks. */
  #slab: Buffer | undefined;
  #held = 0;
  /** Bytes needed before the next look is worth while. */
  #needed = 4;

  constructor(onFrame: (type: number, body: Buffer) => void, maxBytes = MAX_FRAME_BYTES) {
    this.#onFrame = onFrame;
    this.#maxBytes = maxBytes;
  }

  /** How many buffers hold the unfinished frame. */
  get pieces(): number {
    return this.#pieces.length;
  }

  /** @throws FrameError; the parser must not be used after it. */
  push(chunk: Buffer): void {
    let bytes = chunk;
    if (this.#held > 0) {
      this.#keep(chunk);
      if (this.#held < this.#needed) return;
      bytes = Buffer.concat(this.#pieces, this.#held);
      this.#pieces = [];
      this.#slab = undefined;
      this.#held = 0;
    }
    let at = 0;
    this.#needed = 4;
    while (bytes.length - at >= 4) {
      const length = bytes.readUInt32BE(at);
      // Checked before anything is kept for it: a length is the first thing a hostile guest lies about.
      if (length > this.#maxBytes) throw new FrameError("too-large", `a frame of ${length} bytes`);
      if (length === 0) throw new FrameError("malformed", "a frame without a type");
      const end = at + 4 + length;
      if (end > bytes.length) {
        this.#needed = 4 + length;
        break;
      }
      this.#onFrame(bytes[at + 4] as number, bytes.subarray(at + 5, end));
      at = end;
    }
    if (at < bytes.length) {
      this.#pieces.push(bytes.subarray(at));
      this.#held = bytes.length - at;
    }
  }

  /** A guest that writes a large frame byte by byte would cost hundreds of bytes for each, were small chunks not gathered. */
  #keep(chunk: Buffer): void {
    this.#held += chunk.length;
    if (chunk.length >= SLAB_BYTES / 16) {
      this.#slab = undefined;
      this.#pieces.push(chunk);
      return;
    }
    const slab = this.#slab;
    if (slab !== undefined && slab.length + chunk.length <= SLAB_BYTES) {
      // A longer view of the same memory takes the place of the last piece.
      const longer = Buffer.from(slab.buffer, slab.byteOffset, slab.length + chunk.length);
      longer.set(chunk, slab.length);
      this.#pieces[this.#pieces.length - 1] = longer;
      this.#slab = longer;
      return;
    }
    this.#slab = Buffer.allocUnsafeSlow(SLAB_BYTES).subarray(0, chunk.length);
    this.#slab.set(chunk);
    this.#pieces.push(this.#slab);
  }
}
