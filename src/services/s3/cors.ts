import type { CORSRule } from "@aws-sdk/client-s3";

export interface CorsRequest {
  readonly origin: string;
  readonly method: string;
  /** Of Access-Control-Request-Headers, in lower case. */
  readonly headers: readonly string[];
}

/** The first rule that allows a request ("Using cross-origin resource sharing": rules count in their order). */
export function matchingRule(
  rules: readonly CORSRule[],
  { origin, method, headers }: CorsRequest,
): CORSRule | undefined {
  return rules.find(
    (rule) =>
      rule.AllowedMethods?.includes(method) === true &&
      rule.AllowedOrigins?.some((pattern) => fits(pattern, origin)) === true &&
      headers.every(
        (header) => rule.AllowedHeaders?.some((pattern) => fits(pattern.toLowerCase(), header)) === true,
      ),
  );
}

/** One asterisk stands for anything. */
function fits(pattern: string, text: string): boolean {
  const star = pattern.indexOf("*");
  if (star < 0) return pattern === text;
  const [before, behind] = [pattern.slice(0, star), pattern.slice(star + 1)];
  return text.length >= before.length + behind.length && text.startsWith(before) && text.endsWith(behind);
}

/** What a browser is told of a request that a rule allows. */
export function corsHeaders(rule: CORSRule, { origin, headers }: CorsRequest): Record<string, string> {
  const anyone = rule.AllowedOrigins?.includes("*") === true;
  return {
    "access-control-allow-origin": anyone ? "*" : origin,
    "access-control-allow-methods": (rule.AllowedMethods ?? []).join(", "),
    ...(headers.length === 0 ? {} : { "access-control-allow-headers": headers.join(", ") }),
    ...(rule.ExposeHeaders === undefined || rule.ExposeHeaders.length === 0
      ? {}
      : { "access-control-expose-headers": rule.ExposeHeaders.join(", ") }),
    ...(rule.MaxAgeSeconds === undefined ? {} : { "access-control-max-age": String(rule.MaxAgeSeconds) }),
    ...(anyone ? {} : { "access-control-allow-credentials": "true" }),
    vary: "Origin, Access-Control-Request-Headers, Access-Control-Request-Method",
  };
}

/** The headers of an answer to an operation, by its name; `undefined` where no rule allows the origin that asks. */
export function actualCorsHeaders(
  rules: readonly CORSRule[],
  origin: string,
  operation: string,
): Record<string, string> | undefined {
  const request = { origin, method: methodOf(operation), headers: [] };
  const rule = matchingRule(rules, request);
  return rule === undefined ? undefined : corsHeaders(rule, request);
}

function methodOf(operation: string): string {
  if (operation === "DeleteObjects" || /^(?:CreateMultipart|CompleteMultipart)/.test(operation))
    return "POST";
  if (operation.startsWith("Head")) return "HEAD";
  if (/^(?:Get|List)/.test(operation)) return "GET";
  return /^(?:Delete|Abort)/.test(operation) ? "DELETE" : "PUT";
}
