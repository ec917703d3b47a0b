import type { Principal } from "#core/principal";

/** What a handler knows about the call it serves. */
export interface CallContext {
  /** The request id that the response carries, a UUID. */
  readonly requestId: string;
  readonly principal: Principal;
  /** The account that the request acts in. */
  readonly account: string;
  /** The region of the credential scope, such as `us-east-1`. */
  readonly region: string;
  /** Epoch milliseconds at which the request arrived. */
  readonly receivedAt: number;
  /** The address that the client used, `http://127.0.0.1:4566`, for links in responses. */
  readonly baseUrl: string;
  /** Request headers, names in lower case. Empty for calls that did not come over HTTP. */
  readonly headers: Readonly<Record<string, string | undefined>>;
  /** The query as it came, without its question mark; absent for calls that did not come over HTTP. */
  readonly query?: string;
  /** The client's address, such as `127.0.0.1`; absent for calls that did not come over HTTP. */
  readonly sourceIp?: string;
  /**
   * Trailing headers of the request, names in lower case, such as `x-amz-checksum-crc32`: complete once the input's
   * stream has ended.
   */
  readonly trailers?: Readonly<Record<string, string>>;
  /** Set response headers that the output's shape does not bind. Names in lower case. */
  readonly responseHeaders: Record<string, string>;
  /** Set a response status where the operation's own is not the only one: S3's 206 is in no schema. */
  responseStatus?: number;
  /** Aborted when the client has gone. */
  readonly signal: AbortSignal;
}
