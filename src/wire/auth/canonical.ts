/**
 * The canonical request of Signature Version 4 (IAM User Guide, "Create a signed AWS API request"), built from the
 * bytes that came rather than from a parsed form, because clients sign what they send.
 */

const HEX = Array.from({ length: 256 }, (_, byte) => `%${byte.toString(16).toUpperCase().padStart(2, "0")}`);
const UNRESERVED = /[A-Za-z0-9\-._~]/;
const PLAIN_QUERY = /^[A-Za-z0-9\-._~=&]*$/;
const PLAIN_PATH = /^[A-Za-z0-9\-._~/]*$/;

/**
 * `text` with every byte but the unreserved and `kept` percent-encoded. Node hands over raw bytes of a request line as
 * one character each; higher code points cannot come over HTTP and are taken as UTF-8.
 */
function encode(text: string, kept: string): string {
  let out = "";
  for (const char of text) {
    const code = char.codePointAt(0) ?? 0;
    if (UNRESERVED.test(char) || kept.includes(char)) out += char;
    else if (code < 256) out += HEX[code] ?? "";
    else for (const byte of Buffer.from(char)) out += HEX[byte] ?? "";
  }
  return out;
}

/** Brings percent-encoding into its one canonical form; a stray `%` counts as itself. */
function recode(text: string, kept: string): string {
  return text.replaceAll(/%([0-9A-Fa-f]{2})|[^%]+|%/g, (part: string, hex: string | undefined) => {
    if (hex === undefined) return encode(part, kept);
    const code = Number.parseInt(hex, 16);
    const char = String.fromCharCode(code);
    return UNRESERVED.test(char) ? char : (HEX[code] ?? "");
  });
}

/** Services other than S3: dot segments and empty segments go, and what is encoded already is encoded once more. */
export function canonicalPath(path: string): string {
  const clean = path.includes("//") || path.includes("/.") ? normalise(path) : path;
  if (clean === "") return "/";
  return PLAIN_PATH.test(clean) ? clean : encode(clean, "/");
}

function normalise(path: string): string {
  const kept: string[] = [];
  for (const segment of path.split("/")) {
    if (segment === "..") kept.pop();
    else if (segment !== "" && segment !== ".") kept.push(segment);
  }
  return `/${kept.join("/")}${kept.length > 0 && path.endsWith("/") ? "/" : ""}`;
}

/** S3: object keys may hold `//` and `..`, so the path is encoded once and never normalised. */
export function canonicalS3Path(path: string): string {
  return PLAIN_PATH.test(path) ? path || "/" : recode(path, "/");
}

/**
 * The query sorted by name, then value, in code point order, without `X-Amz-Signature`. A raw `+` is a space, as AWS
 * reads it and as the Go SDK's signer assumes.
 */
export function canonicalQuery(query: string): string {
  if (query === "") return "";
  const plain = PLAIN_QUERY.test(query);
  const pairs: (readonly [name: string, value: string])[] = [];
  for (const pair of query.split("&")) {
    if (pair === "") continue;
    const equals = pair.indexOf("=");
    const name = equals < 0 ? pair : pair.slice(0, equals);
    const value = equals < 0 ? "" : pair.slice(equals + 1);
    if (name === "X-Amz-Signature") continue;
    pairs.push(plain && !value.includes("=") ? [name, value] : [recodeQuery(name), recodeQuery(value)]);
  }
  if (pairs.length > 1) pairs.sort(([a, x], [b, y]) => compare(a, b) || compare(x, y));
  return pairs.map(([name, value]) => `${name}=${value}`).join("&");
}

function recodeQuery(text: string): string {
  return recode(text.replaceAll("+", "%20"), "");
}

/** Encoded text is ASCII, so comparing UTF-16 units is comparing code points. */
function compare(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

const UNTIDY = /^\s|\s\s|[\t\r\n]|\s$/;

/** Outer blanks go, inner runs become one space: unfolds what HTTP/1.0 folded. */
function canonicalValue(value: string): string {
  return UNTIDY.test(value) ? value.trim().replaceAll(/\s+/g, " ") : value;
}

export interface CanonicalParts {
  readonly method: string;
  readonly path: string;
  readonly query: string;
  /** `host;x-amz-date`, as signed. */
  readonly signedHeaders: string;
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly payloadHash: string;
  /**
   * The listener joins repeated headers with ", " where the canonical form joins with ","; whether a header was
   * repeated cannot be told any more, so a verifier tries both.
   */
  readonly tightCommas: boolean;
}

/** The canonical request; `path` and `query` are canonical already. */
export function canonicalRequest(parts: CanonicalParts): string {
  let text = `${parts.method}\n${parts.path}\n${parts.query}\n`;
  for (const name of parts.signedHeaders.split(";")) {
    const sent: unknown = parts.headers[name];
    // The client chooses the names: `constructor` finds what every object inherits, which is no text.
    const value = typeof sent === "string" ? canonicalValue(sent) : "";
    text += `${name}:${parts.tightCommas ? value.replaceAll(", ", ",") : value}\n`;
  }
  return `${text}\n${parts.signedHeaders}\n${parts.payloadHash}`;
}
