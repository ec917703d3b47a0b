import type { DocumentKey } from "#storage/documents";
import type { Scope } from "../names.ts";

/** `[account, region, "function-url", name, qualifier]`; `qualifier` is an alias, or `$LATEST` for the function itself. */
export interface UrlRecord {
  readonly urlId: string;
  readonly authType: "NONE" | "AWS_IAM";
  readonly cors?: UrlCors;
  /** Undefined where none was ever given: BUFFERED, which creation then does not tell (recorded). */
  readonly invokeMode?: "BUFFERED" | "RESPONSE_STREAM";
  /** Epoch milliseconds. */
  readonly createdAt: number;
  /** Epoch milliseconds. */
  readonly lastModified: number;
}

/** As its configuration has it; what is missing was not given. */
export interface UrlCors {
  readonly AllowCredentials?: boolean;
  readonly AllowHeaders?: readonly string[];
  readonly AllowMethods?: readonly string[];
  readonly AllowOrigins?: readonly string[];
  readonly ExposeHeaders?: readonly string[];
  /** Seconds. */
  readonly MaxAge?: number;
}

/** `[account, region, "function-url-id", urlId]`: what a URL's host name leads to. */
export interface UrlIdRecord {
  readonly name: string;
  readonly qualifier: string;
}

export const urlKeys = {
  config: ({ account, region }: Scope, name: string, qualifier: string): DocumentKey => [
    account,
    region,
    "function-url",
    name,
    qualifier,
  ],
  id: ({ account, region }: Scope, urlId: string): DocumentKey => [account, region, "function-url-id", urlId],
};
