import { createHash, type Hash } from "node:crypto";
import { AuthFailure } from "./failures.ts";
import type { HmacKey } from "./hmac.ts";
import { EMPTY_HASH, scopeText, sha256Hex, signatureMatches } from "./signing-key.ts";
import type { CredentialScope } from "./scope.ts";

/** What checks the chunks' signatures, each of which signs the one before it; the first signs the request's. */
export interface ChunkSigning {
  readonly key: HmacKey;
  /** ISO 8601's basic form. */
  readonly date: string;
  readonly scope: CredentialScope;
  /** The signature of the request itself. */
  readonly seed: string;
}

export interface ChunkedOptions {
  /** Missing where the payload is unsigned. */
  readonly signing?: ChunkSigning | undefined;
  /** Whether trailing headers follow. */
  readonly trailer: boolean;
  /** `x-amz-decoded-content-length`, in bytes. */
  readonly decodedLength: number;
}

/** A signed chunk is held back until its signature is checked, so its size is bounded; SDKs write 64 KiB to 1 MiB. */
const MAX_SIGNED_CHUNK = 64 * 1024 * 1024;
const MAX_LINE = 16 * 1024;
const HEADER = /^([0-9a-fA-F]{1,12})(?:;chunk-signature=([0-9a-f]{64}))?$/;

/**
 * Takes aws-chunked framing off a payload and checks it on the way (Amazon S3 API Reference, "Signature calculations
 * for the Authorization header: Transferring payload in multiple chunks", and the same "including trailing headers").
 * Throws AuthFailures. One decoder serves one payload.
 */
export class ChunkedDecoder {
  /** Complete once `end` has returned. Names in lower case. */
  readonly trailers: Record<string, string> = {};

  readonly #options: ChunkedOptions;
  #state: "header" | "data" | "data-end" | "trailer" | "done" = "header";
  #line = "";
  #remaining = 0;
  #decoded = 0;
  #hash: Hash | undefined;
  #held: Buffer[] = [];
  #chunkSignature = "";
  #previous: string;
  #trailerText = "";
  #trailerSignature: string | undefined;

  constructor(options: ChunkedOptions) {
    this.#options = options;
    this.#previous = options.signing?.seed ?? "";
  }

  /** Takes the next bytes as they came; returns those of the payload that may be released. */
  push(bytes: Buffer): Buffer[] {
    const released: Buffer[] = [];
    let position = 0;
    while (position < bytes.length) {
      if (this.#state === "data") {
        const piece = bytes.subarray(position, position + this.#remaining);
        position += piece.length;
        this.#take(piece, released);
        continue;
      }
      const newline = bytes.indexOf(10, position);
      const end = newline < 0 ? bytes.length : newline;
      this.#line += bytes.toString("latin1", position, end);
      if (this.#line.length > MAX_LINE) throw new AuthFailure({ kind: "chunk-malformed" });
      position = end + 1;
      if (newline >= 0) this.#finishLine();
    }
    return released;
  }

  /** The payload has ended: throws where it was cut short. */
  end(): void {
    const { trailer, decodedLength } = this.#options;
    // Without trailers some clients leave off the last line end, which then carries nothing.
    if (this.#state === "trailer" && !trailer && this.#line.trim() === "") this.#state = "done";
    if (this.#state !== "done" || this.#decoded !== decodedLength)
      throw new AuthFailure({ kind: "payload-incomplete" });
  }

  #take(piece: Buffer, released: Buffer[]): void {
    this.#remaining -= piece.length;
    this.#decoded += piece.length;
    if (this.#decoded > this.#options.decodedLength) throw new AuthFailure({ kind: "payload-incomplete" });
    if (this.#options.signing === undefined) released.push(piece);
    else {
      this.#hash?.update(piece);
      this.#held.push(piece);
    }
    if (this.#remaining > 0) return;
    this.#checkChunk();
    released.push(...this.#held);
    this.#held = [];
    this.#state = "data-end";
  }

  #finishLine(): void {
    const line = this.#line.endsWith("\r") ? this.#line.slice(0, -1) : this.#line;
    this.#line = "";
    if (this.#state === "header") this.#startChunk(line);
    else if (this.#state === "data-end" && line === "") this.#state = "header";
    else if (this.#state === "trailer") this.#readTrailer(line);
    else if (this.#state !== "done" || line !== "") throw new AuthFailure({ kind: "chunk-malformed" });
  }

  #startChunk(line: string): void {
    const match = HEADER.exec(line);
    const signed = this.#options.signing !== undefined;
    if (match === null || (match[2] !== undefined) !== signed)
      throw new AuthFailure({ kind: "chunk-malformed" });
    this.#remaining = Number.parseInt(match[1] ?? "", 16);
    this.#chunkSignature = match[2] ?? "";
    if (signed && this.#remaining > MAX_SIGNED_CHUNK) throw new AuthFailure({ kind: "chunk-malformed" });
    this.#hash = signed ? createHash("sha256") : undefined;
    this.#state = "data";
    if (this.#remaining > 0) return;
    this.#checkChunk();
    this.#state = "trailer";
  }

  #checkChunk(): void {
    const { signing } = this.#options;
    if (signing === undefined || this.#hash === undefined) return;
    const { date, scope } = signing;
    const text = `AWS4-HMAC-SHA256-PAYLOAD\n${date}\n${scopeText(scope)}\n${this.#previous}\n${EMPTY_HASH}\n${this.#hash.digest("hex")}`;
    check(signing, text, this.#chunkSignature);
    this.#previous = this.#chunkSignature;
  }

  #readTrailer(line: string): void {
    if (line === "") {
      this.#finishTrailers();
      return;
    }
    const colon = line.indexOf(":");
    if (!this.#options.trailer || colon <= 0) throw new AuthFailure({ kind: "trailer-malformed" });
    const name = line.slice(0, colon).trim().toLowerCase();
    const value = line.slice(colon + 1).trim();
    if (name === "x-amz-trailer-signature") {
      this.#trailerSignature = value;
      return;
    }
    // Headers of the request come first everywhere else too; a second checksum of one name would be ambiguous.
    if (Object.hasOwn(this.trailers, name) || name === "__proto__")
      throw new AuthFailure({ kind: "trailer-malformed" });
    this.trailers[name] = value;
    this.#trailerText += `${name}:${value}\n`;
    if (this.#trailerText.length > MAX_LINE) throw new AuthFailure({ kind: "trailer-malformed" });
  }

  #finishTrailers(): void {
    // A client may write a blank line between its trailers and their signature.
    const { signing, trailer } = this.#options;
    this.#state = "done";
    if (signing === undefined || !trailer) return;
    if (this.#trailerSignature === undefined) {
      this.#state = "trailer";
      return;
    }
    const { date, scope } = signing;
    const text = `AWS4-HMAC-SHA256-TRAILER\n${date}\n${scopeText(scope)}\n${this.#previous}\n${sha256Hex(this.#trailerText)}`;
    check(signing, text, this.#trailerSignature);
  }
}

function check(signing: ChunkSigning, stringToSign: string, signature: string): void {
  if (signatureMatches(signing.key, stringToSign, signature)) return;
  const { accessKeyId } = signing.scope;
  throw new AuthFailure({ kind: "mismatch", accessKeyId, signature, stringToSign });
}
