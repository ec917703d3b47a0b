import type { Readable } from "node:stream";
import type { Principal } from "#core/principal";
import type { ProtocolName } from "../schema/model.ts";
import type { WireRequest } from "../protocols/protocol.ts";

/** A request as authentication sees it. */
export interface AuthRequest extends WireRequest {
  /** The socket's peer, such as `127.0.0.1` or `::ffff:10.0.0.7`. */
  readonly remoteAddress: string;
  /** The protocol that routing found, so that a failure has that protocol's codes. Guessed where it is missing. */
  readonly protocol?: ProtocolName | undefined;
}

/** What a verified signature proves. */
export interface Authenticated {
  readonly principal: Principal;
  /** The credential scope's region, such as `us-east-1`. */
  readonly region: string;
  /** The credential scope's service, such as `lambda`. */
  readonly service: string;
  /**
   * The payload, with aws-chunked framing removed. A stream ends with an AwsError where a chunk's signature or the
   * payload's hash turns out to be wrong: nothing read from it may be acted on before it has ended.
   */
  readonly body: Buffer | Readable;
  /**
   * The trailing headers of an aws-chunked payload, names in lower case, such as `x-amz-checksum-crc32`. They are
   * complete once `body` has ended. Whether a checksum is right is for the service to say.
   */
  readonly trailers: Readonly<Record<string, string>>;
}

/** Verifies a request's signature. Throws an AwsError with the code, status and wording that AWS uses. */
export type Authenticate = (request: AuthRequest) => Authenticated | Promise<Authenticated>;

/** The key of an access key id, and whom it speaks for. */
export interface SigningCredentials {
  readonly secretAccessKey: string;
  readonly principal: Principal;
  /** The key is public knowledge, so it counts only for clients on this machine. */
  readonly loopbackOnly: boolean;
}

/** Why there are no credentials: the id is not known, its token is not this platform's, or the token has expired. */
export type CredentialRefusal = "unknown" | "invalid-token" | "expired";

export interface CredentialStore {
  /** Never throws. `sessionToken` is `x-amz-security-token` as it came. */
  lookup(accessKeyId: string, sessionToken: string | undefined): SigningCredentials | CredentialRefusal;
}
