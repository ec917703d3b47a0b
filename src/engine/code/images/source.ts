import { createHash } from "node:crypto";
import type { Readable } from "node:stream";
import { Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import { BadImage } from "./errors.ts";
import { MAX_DOCUMENT_BYTES } from "./manifest.ts";
import type { Descriptor } from "./manifest.ts";

/** Somewhere that images come from. Its answers are untrusted: whoever asks checks digests and sizes. */
export interface ImageSource {
  /** The manifest or index that the reference names, with the tag to choose by where an index is a layout's. */
  root(): Promise<{ readonly bytes: Buffer; readonly tag: string | undefined } | undefined>;
  /** A manifest that an index names. Undefined where there is none. */
  manifest(digest: string): Promise<Buffer | undefined>;
  blob(digest: string): Promise<Readable | undefined>;
  /** How the image of this manifest is named for good. */
  resolvedUri(digest: string): string;
}

/** All of a small stream. @throws BadImage where it is not small */
export async function readDocument(stream: Readable): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of stream as AsyncIterable<Uint8Array>) {
    bytes += chunk.length;
    if (bytes > MAX_DOCUMENT_BYTES) {
      stream.destroy();
      throw new BadImage("too-large", "a document of more than 4 MB");
    }
    chunks.push(Buffer.from(chunk));
  }
  return Buffer.concat(chunks);
}

export function digestOf(bytes: Uint8Array): string {
  return `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
}

/** Passes a blob's bytes on and fails, before the end, where they are others than its descriptor says. */
export function verified(stream: Readable, { digest, size }: Pick<Descriptor, "digest" | "size">): Readable {
  const hash = createHash("sha256");
  let left = size;
  const check = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      left -= chunk.length;
      if (left < 0) return done(new BadImage("broken", `${digest} is larger than ${size} bytes`));
      hash.update(chunk);
      done(null, chunk);
    },
    flush(done) {
      const right = left === 0 && `sha256:${hash.digest("hex")}` === digest;
      done(right ? null : new BadImage("broken", `${digest} has other bytes`));
    },
  });
  // Whoever reads `check` is told.
  pipeline(stream, check).catch(() => undefined);
  return check;
}
