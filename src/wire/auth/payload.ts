import { createHash } from "node:crypto";
import { Readable } from "node:stream";
import { sha256InTurns } from "#core/sha256";
import { ChunkedDecoder, type ChunkSigning } from "./aws-chunked.ts";
import { AuthFailure } from "./failures.ts";
import { EMPTY_HASH, sha256Hex } from "./signing-key.ts";

/** How a payload is bound to its request's signature. */
export type PayloadCheck = "none" | "hash" | { readonly signed: boolean; readonly trailer: boolean };

const SPECIAL: ReadonlyMap<string, PayloadCheck> = new Map<string, PayloadCheck>([
  ["UNSIGNED-PAYLOAD", "none"],
  ["STREAMING-AWS4-HMAC-SHA256-PAYLOAD", { signed: true, trailer: false }],
  ["STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER", { signed: true, trailer: true }],
  ["STREAMING-UNSIGNED-PAYLOAD-TRAILER", { signed: false, trailer: true }],
]);

const SHA256 = /^[0-9a-f]{64}$/i;

/** What `x-amz-content-sha256` asks S3 to do. Throws an AuthFailure for what S3 does not know. */
export function s3PayloadCheck(claimed: string): PayloadCheck {
  const special = SPECIAL.get(claimed);
  if (special !== undefined) return special;
  if (SHA256.test(claimed)) return "hash";
  throw new AuthFailure({ kind: "content-hash-malformed", claimed });
}

/** Payloads beyond this many bytes are hashed a piece at a time, so that they do not hold up the event loop. */
const LARGE_PAYLOAD_BYTES = 1024 * 1024;

/** The hash of a payload that is here as a whole; at once, unless it is large. */
export function payloadHash(body: Buffer): string | Promise<string> {
  if (body.length === 0) return EMPTY_HASH;
  if (body.length <= LARGE_PAYLOAD_BYTES) return sha256Hex(body);
  return sha256InTurns(body).then((hash) => hash.toString("hex"));
}

/** Whether `text` can be a SHA-256 in hexadecimal digits. */
export function isSha256(text: string | undefined): text is string {
  return text !== undefined && SHA256.test(text);
}

/** A stream's bytes, up to `limit` of them. Throws an AuthFailure beyond. */
export async function collect(stream: Readable, limit: number): Promise<Buffer> {
  const pieces: Buffer[] = [];
  let length = 0;
  for await (const piece of stream) {
    const bytes = asBuffer(piece);
    length += bytes.length;
    if (length > limit) throw new AuthFailure({ kind: "payload-too-large", limit });
    pieces.push(bytes);
  }
  return Buffer.concat(pieces, length);
}

/** Throws an AuthFailure where a buffered payload's hash is not the `claimed` one. */
export function requireHash(computed: string, claimed: string): void {
  if (computed !== claimed.toLowerCase())
    throw new AuthFailure({ kind: "content-hash-mismatch", claimed, computed });
}

/** A stream that ends in an error where the bytes' hash is not `claimed`. */
export async function* checkedAgainstHash(body: Readable, claimed: string): AsyncGenerator<Buffer> {
  const hash = createHash("sha256");
  for await (const piece of body) {
    const bytes = asBuffer(piece);
    hash.update(bytes);
    yield bytes;
  }
  const computed = hash.digest("hex");
  if (computed !== claimed.toLowerCase())
    throw new AuthFailure({ kind: "content-hash-mismatch", claimed, computed });
}

/** Prepares to decode an aws-chunked payload; `decodedLength` is `x-amz-decoded-content-length`. */
export function chunkedDecoder(
  check: Exclude<PayloadCheck, string>,
  signing: ChunkSigning | undefined,
  decodedLength: string | undefined,
): ChunkedDecoder {
  if (decodedLength === undefined || !/^\d{1,15}$/.test(decodedLength))
    throw new AuthFailure({ kind: "decoded-length-missing" });
  return new ChunkedDecoder({
    signing: check.signed ? signing : undefined,
    trailer: check.trailer,
    decodedLength: Number(decodedLength),
  });
}

/** Decodes an aws-chunked payload that is here as a whole. */
export function decodeChunked(body: Buffer, decoder: ChunkedDecoder): Buffer {
  const pieces = decoder.push(body);
  decoder.end();
  return Buffer.concat(pieces);
}

/** Decodes an aws-chunked payload as it comes. */
export async function* decodedChunks(body: Readable, decoder: ChunkedDecoder): AsyncGenerator<Buffer> {
  for await (const piece of body) yield* decoder.push(asBuffer(piece));
  decoder.end();
}

/** A byte stream over `chunks`; `translate` turns what they throw into what the reader is to see. */
export function readable(chunks: AsyncGenerator<Buffer>, translate: (error: unknown) => unknown): Readable {
  async function* translated(): AsyncGenerator<Buffer> {
    try {
      yield* chunks;
    } catch (error) {
      throw translate(error);
    }
  }
  return Readable.from(translated(), { objectMode: false });
}

function asBuffer(piece: unknown): Buffer {
  return Buffer.isBuffer(piece) ? piece : Buffer.from(piece as Uint8Array | string);
}
