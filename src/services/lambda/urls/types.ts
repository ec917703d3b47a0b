import type { Readable } from "node:stream";

/** A request as the listener hands it over. */
export interface UrlRequest {
  readonly method: string;
  /** As sent, without the query. */
  readonly path: string;
  /** As sent, without the question mark. */
  readonly query: string;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly body: Buffer;
  readonly remoteAddress: string;
  /** Scheme and authority that the client used. */
  readonly baseUrl: string;
}

/** Names in lower case; several values are several headers. */
export type ResponseHeaders = Record<string, string | string[]>;

export interface UrlResponse {
  readonly status: number;
  readonly headers: ResponseHeaders;
  readonly body: Buffer | string | Readable | undefined;
}

/** Status, headers and cookies of a response. */
export interface ResponseHead {
  readonly status: number;
  readonly headers: ResponseHeaders;
}

/** Who signed a request, as `requestContext.authorizer.iam` tells functions. */
export interface UrlCaller {
  readonly accessKey: string;
  readonly account: string;
  readonly arn: string;
  readonly userId: string;
}
