import type { Principal } from "#core/principal";
import type { CallContext } from "./operation.ts";

export interface CallDetails extends Pick<
  CallContext,
  "requestId" | "principal" | "region" | "receivedAt" | "baseUrl" | "headers" | "query" | "sourceIp"
> {
  readonly trailers?: Readonly<Record<string, string>>;
  readonly query?: string;
  readonly sourceIp?: string;
  /** Asked only where a handler wants the signal: making one costs more than most requests do. */
  readonly source: { readonly signal: AbortSignal };
}

/** The context of one call, over HTTP or within the process. */
export class Call implements CallContext {
  readonly requestId: string;
  readonly principal: Principal;
  readonly region: string;
  readonly receivedAt: number;
  readonly baseUrl: string;
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly trailers: Readonly<Record<string, string>>;
  readonly query?: string;
  readonly sourceIp?: string;
  readonly responseHeaders: Record<string, string> = {};
  responseStatus?: number;
  readonly #source: { readonly signal: AbortSignal };

  constructor(details: CallDetails) {
    this.requestId = details.requestId;
    this.principal = details.principal;
    this.region = details.region;
    this.receivedAt = details.receivedAt;
    this.baseUrl = details.baseUrl;
    this.headers = details.headers;
    this.trailers = details.trailers ?? NO_TRAILERS;
    if (details.query !== undefined) this.query = details.query;
    if (details.sourceIp !== undefined) this.sourceIp = details.sourceIp;
    this.#source = details.source;
  }

  get account(): string {
    return this.principal.account;
  }

  get signal(): AbortSignal {
    return this.#source.signal;
  }
}

const NO_TRAILERS: Readonly<Record<string, string>> = Object.freeze({});
