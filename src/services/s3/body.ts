import { createHash, type Hash } from "node:crypto";
import { Readable } from "node:stream";
import { pieces } from "#core/sha256";
import type { CallContext } from "#wire/operation";
import {
  type Algorithm,
  ALGORITHMS,
  createHasher,
  DEFAULT_ALGORITHM,
  DIGEST_BYTES,
  type Hasher,
  headerOf,
  isAlgorithm,
  memberOf,
} from "./checksums/algorithms.ts";
import { s3Errors } from "./errors.ts";

/** What an upload's request says of its bytes. */
export interface BodyClaims {
  readonly ContentMD5?: string | undefined;
  readonly ContentLength?: number | undefined;
  readonly ChecksumAlgorithm?: string | undefined;
  readonly ChecksumCRC32?: string | undefined;
  readonly ChecksumCRC32C?: string | undefined;
  readonly ChecksumCRC64NVME?: string | undefined;
  readonly ChecksumSHA1?: string | undefined;
  readonly ChecksumSHA256?: string | undefined;
}

/** What was found out about the bytes once they have passed. */
export interface Digests {
  readonly size: number;
  /** The MD5 in hexadecimal digits: the ETag of what is put in one piece. */
  readonly md5: string;
  /** Base64. */
  readonly checksum: string;
}

/**
 * A checksum that the request claims, by header or trailer; without a value where it only names the algorithm.
 * `undefined` where it says nothing.
 * @throws AwsError InvalidRequest for two of them, or one that cannot be one
 */
export function claimedChecksum(
  claims: BodyClaims,
  headers: CallContext["headers"],
): { readonly algorithm: Algorithm; readonly value: string | undefined } | undefined {
  const given = ALGORITHMS.filter((algorithm) => claims[memberOf(algorithm)] !== undefined);
  if (given.length > 1) throw s3Errors.twoChecksums();
  const [algorithm] = given;
  if (algorithm !== undefined) {
    const value = claims[memberOf(algorithm)] ?? "";
    requireDigest(algorithm, value);
    return { algorithm, value };
  }
  const trailer = headers["x-amz-trailer"]?.trim().toLowerCase();
  const trailed = ALGORITHMS.find((known) => headerOf(known) === trailer);
  if (trailed !== undefined) return { algorithm: trailed, value: undefined };
  const named = claims.ChecksumAlgorithm;
  if (named === undefined) return undefined;
  if (isAlgorithm(named)) return { algorithm: named, value: undefined };
  throw s3Errors.notBuilt(`The checksum algorithm ${named}`);
}

/** @throws AwsError InvalidRequest where `value` is not base64 of a checksum's length */
export function requireDigest(algorithm: Algorithm, value: string): void {
  if (base64Length(value) !== DIGEST_BYTES[algorithm]) throw s3Errors.invalidChecksum(headerOf(algorithm));
}

function base64Length(text: string): number | undefined {
  const bytes = Buffer.from(text, "base64");
  return bytes.toString("base64") === text ? bytes.length : undefined;
}

/** @throws AwsError InvalidDigest where Content-MD5 is not the base64 of sixteen bytes */
export function requireMd5(given: string | undefined): void {
  if (given !== undefined && base64Length(given) !== 16) throw s3Errors.invalidMd5(given);
}

export interface CheckedBodyOptions {
  readonly claims: BodyClaims;
  readonly call: Pick<CallContext, "headers" | "trailers">;
  /** More bytes than this are refused. */
  readonly limit: number;
  /** The algorithm where the request names none: that of a multipart upload, else S3's own choice. */
  readonly algorithm?: Algorithm | undefined;
}

/**
 * An upload's bytes on their way to disk: hashed as they pass, and checked at their end against all that the request
 * claims of them. Iterating throws the AwsErrors; nothing that was written may be kept then.
 */
export class CheckedBody implements AsyncIterable<Uint8Array> {
  readonly algorithm: Algorithm;
  readonly #body: unknown;
  readonly #options: CheckedBodyOptions;
  readonly #claimed: ReturnType<typeof claimedChecksum>;
  readonly #md5: Hash = createHash("md5");
  readonly #hasher: Hasher;
  #size = 0;
  #digests: Digests | undefined;

  /** @param body as the handler got it: a Readable, bytes, or nothing. @throws AwsError where the claims are malformed */
  constructor(body: unknown, options: CheckedBodyOptions) {
    const { claims, call, limit } = options;
    this.#body = body;
    this.#options = options;
    requireMd5(claims.ContentMD5);
    if (claims.ContentLength !== undefined && claims.ContentLength > limit)
      throw s3Errors.tooLarge(claims.ContentLength, limit);
    this.#claimed = claimedChecksum(claims, call.headers);
    this.algorithm = this.#claimed?.algorithm ?? options.algorithm ?? DEFAULT_ALGORITHM;
    this.#hasher = createHasher(this.algorithm);
  }

  /** Whether the request itself chose the algorithm. */
  get chosen(): boolean {
    return this.#claimed !== undefined;
  }

  /** Once the bytes have passed. */
  get digests(): Digests {
    if (this.#digests === undefined) throw new Error("the body has not been read to its end");
    return this.#digests;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array> {
    const { limit } = this.#options;
    try {
      for await (const piece of chunksOf(this.#body)) {
        this.#size += piece.length;
        if (this.#size > limit) throw s3Errors.tooLarge(undefined, limit);
        this.#md5.update(piece);
        this.#hasher.update(piece);
        yield piece;
      }
    } catch (error) {
      // The client went away: nobody reads this, but neither is it a fault of the platform's.
      if (error instanceof Error && "code" in error && error.code === "ECONNRESET")
        throw s3Errors.incompleteBody(error);
      throw error;
    }
    this.#digests = this.#check();
  }

  #check(): Digests {
    const { claims, call } = this.#options;
    const md5 = this.#md5.digest();
    if (claims.ContentMD5 !== undefined && claims.ContentMD5 !== md5.toString("base64"))
      throw s3Errors.wrongMd5(
        Buffer.from(claims.ContentMD5, "base64").toString("hex"),
        md5.toString("base64"),
      );
    const checksum = this.#hasher.digest().toString("base64");
    const expected = this.#claimed?.value ?? call.trailers?.[headerOf(this.algorithm)];
    if (expected !== undefined) {
      requireDigest(this.algorithm, expected);
      if (expected !== checksum) throw s3Errors.wrongChecksum(this.algorithm);
    }
    return { size: this.#size, md5: md5.toString("hex"), checksum };
  }
}

/** The bytes of a body in pieces that are hashed without holding anyone up. */
async function* chunksOf(body: unknown): AsyncGenerator<Uint8Array> {
  if (body === undefined || body === null) return;
  if (typeof body === "string") yield* pieces(Buffer.from(body));
  else if (body instanceof Uint8Array) yield* pieces(body);
  else if (body instanceof Readable) {
    // Left open where reading stops early: the connection still has to carry the answer.
    for await (const piece of body.iterator({ destroyOnReturn: false }))
      yield* pieces(typeof piece === "string" ? Buffer.from(piece) : (piece as Uint8Array));
  } else if (isIterable(body)) yield* body;
  else throw s3Errors.missingLength();
}

function isIterable(body: unknown): body is AsyncIterable<Uint8Array> {
  return typeof body === "object" && body !== null && Symbol.asyncIterator in body;
}
