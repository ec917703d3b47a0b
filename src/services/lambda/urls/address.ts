import type { Ids } from "#core/ids";
import { isLoopback } from "#core/loopback";

/** A URL's address: in AWS `https://<url-id>.lambda-url.<region>.on.aws/`. */
export interface UrlAddress {
  readonly urlId: string;
  /** Undefined where the address does not tell. */
  readonly region: string | undefined;
  /** Beginning with a slash, as sent, without what only leads to the function. */
  readonly path: string;
}

/** Names below `localhost` are this machine's (RFC 6761); AWS's own name comes from clients that were told to resolve it to here. */
const HOST = /^([^.:]{1,63})\.lambda-url\.([a-z0-9-]{1,32})\.(?:localhost|on\.aws)\.?(?::\d{1,5})?$/i;

/** For clients that cannot resolve names below `localhost`, as Node.js and Python cannot on most hosts. */
const PATH_STYLE = "/_thaw/url/";

/** @returns undefined where a request is not for a function URL. Both arguments are whatever a client wrote. */
export function addressOf(host: string | undefined, requestPath: string): UrlAddress | undefined {
  const path = originForm(requestPath);
  if (path.startsWith(PATH_STYLE)) {
    const rest = path.slice(PATH_STYLE.length);
    const slash = rest.indexOf("/");
    if (slash === -1) return { urlId: rest, region: undefined, path: "/" };
    return { urlId: rest.slice(0, slash), region: undefined, path: rest.slice(slash) };
  }
  // Looked at for every request of the platform; nearly none of them has such a name.
  if (host?.includes(".lambda-url.") !== true) return undefined;
  const [, urlId, region] = HOST.exec(host) ?? [];
  if (urlId === undefined || region === undefined) return undefined;
  return { urlId: urlId.toLowerCase(), region: region.toLowerCase(), path };
}

/** A request line may name a whole URL, as it does to proxies (RFC 9112, "absolute-form"). */
function originForm(path: string): string {
  if (path.startsWith("/")) return path;
  const absolute = /^https?:\/\/[^/]*(.*)$/i.exec(path)?.[1];
  return absolute === undefined || absolute === "" ? "/" : absolute;
}

/**
 * The address as GetFunctionUrlConfig tells it, by the scheme and the port that the client has reached the platform by.
 * Names below `localhost` lead whoever is elsewhere nowhere, and no certificate and no resolver knows names below another
 * one: clients that came by such a name or address go on by it.
 */
export function functionUrl(urlId: string, region: string, baseUrl: string): string {
  const [, scheme = "http:", host = "", port = ""] = /^(https?:)\/\/(.*?)(:\d{1,5})?$/.exec(baseUrl) ?? [];
  const here = isLoopback(host.replace(/^\[|\]$/g, "")) || host.endsWith(".localhost");
  return here || host === ""
    ? `${scheme}//${domainName(urlId, region)}${port}/`
    : `${scheme}//${host}${port}${PATH_STYLE}${urlId}/`;
}

export function domainName(urlId: string, region: string): string {
  return `${urlId}.lambda-url.${region}.localhost`;
}

const DIGITS = "abcdefghijklmnopqrstuvwxyz234567";
const ACCOUNT_DIGITS = 8;
const RANDOM_DIGITS = 24;

/**
 * An id that tells its account, as AWS's do: "it may be possible for anyone to retrieve your account ID from the url-id"
 * (developer guide, "Invoking Lambda function URLs"). Storage keys begin with the account, and host names hold no other.
 */
export function newUrlId(account: string, ids: Ids): string {
  let rest = Number(account);
  let digits = "";
  for (let place = 0; place < ACCOUNT_DIGITS; place++) {
    digits = `${DIGITS[rest % 32]}${digits}`;
    rest = Math.floor(rest / 32);
  }
  return digits + ids.base32(RANDOM_DIGITS).toLowerCase();
}

/** @returns undefined for what `newUrlId` never makes */
export function accountOf(urlId: string): string | undefined {
  if (urlId.length !== ACCOUNT_DIGITS + RANDOM_DIGITS || !/^[a-z2-7]+$/.test(urlId)) return undefined;
  let account = 0;
  for (const digit of urlId.slice(0, ACCOUNT_DIGITS)) account = account * 32 + DIGITS.indexOf(digit);
  return account > 999_999_999_999 ? undefined : String(account).padStart(12, "0");
}
