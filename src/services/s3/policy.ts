import { AwsError } from "#core/errors";
import { s3Errors } from "./errors.ts";
import { LIMITS } from "./limits.ts";

interface Statement {
  readonly Effect?: unknown;
  readonly Principal?: unknown;
  readonly NotPrincipal?: unknown;
  readonly Action?: unknown;
  readonly NotAction?: unknown;
  readonly Resource?: unknown;
  readonly NotResource?: unknown;
  readonly Condition?: unknown;
}

/** Checks a bucket policy's form; who may do what by it is decided where all policies are. @throws AwsError MalformedPolicy */
export function requirePolicy(text: string, bucket: string): readonly Statement[] {
  const malformed = s3Errors.malformedPolicy;
  if (Buffer.byteLength(text) > LIMITS.policyBytes)
    throw new AwsError("PolicyTooLarge", "Policies must not be larger than 20480 bytes");
  const policy = parse(text);
  if (policy === undefined) throw malformed("Policies must be valid JSON and the first byte must be '{'");
  const { Statement: found, Version: version } = policy;
  if (found === undefined) throw malformed("Missing required field Statement");
  if (version !== undefined && version !== "2012-10-17" && version !== "2008-10-17")
    throw malformed("Policy has invalid version");
  const statements = list(found) as readonly Statement[];
  for (const statement of statements) requireStatement(statement, bucket);
  return statements;
}

function requireStatement(statement: Statement, bucket: string): void {
  const malformed = s3Errors.malformedPolicy;
  if (typeof statement !== "object" || statement === null) throw malformed("Policy has invalid statement");
  for (const [name, other] of [
    ["Effect", undefined],
    ["Principal", "NotPrincipal"],
    ["Action", "NotAction"],
    ["Resource", "NotResource"],
  ] as const)
    if (statement[name] === undefined && (other === undefined || statement[other] === undefined))
      throw malformed(`Missing required field ${name}`);
  if (statement.Effect !== "Allow" && statement.Effect !== "Deny")
    throw malformed(`Invalid effect: ${String(statement.Effect)}`);
  for (const action of strings(statement.Action ?? statement.NotAction))
    if (action === undefined || !/^(?:\*|s3:[A-Za-z*?]+)$/i.test(action))
      throw malformed("Policy has invalid action");
  for (const resource of strings(statement.Resource ?? statement.NotResource))
    if (resource === undefined || !concerns(resource, bucket)) throw malformed("Policy has invalid resource");
}

/**
 * Whether a policy lets everyone in, which Block Public Access prevents (Amazon S3 User Guide, "Blocking public access",
 * "The meaning of 'public'"): a condition narrows it only by a fixed value of some few keys.
 */
export function isPublic(statements: readonly Statement[]): boolean {
  return statements.some(({ Effect, Principal, NotPrincipal, Condition }) => {
    if (Effect !== "Allow" || isNarrowed(Condition)) return false;
    if (NotPrincipal !== undefined || Principal === "*") return true;
    if (typeof Principal !== "object" || Principal === null || !("AWS" in Principal)) return false;
    return strings(Principal.AWS).includes("*");
  });
}

const NARROWING: ReadonlySet<string> = new Set([
  "aws:sourceip",
  "aws:sourcearn",
  "aws:sourcevpc",
  "aws:sourcevpce",
  "aws:sourceowner",
  "aws:sourceaccount",
  "aws:userid",
  "aws:principalorgid",
  "aws:principalaccount",
  "aws:principalarn",
  "s3:x-amz-server-side-encryption-aws-kms-key-id",
  "s3:dataaccesspointarn",
  "s3:dataaccesspointaccount",
]);

/** Operators that demand a value: others let in who has none, or anything but it. */
const DEMANDING =
  /^(?:ForAnyValue:)?(?:StringEquals(?:IgnoreCase)?|StringLike|ArnEquals|ArnLike|IpAddress)$/i;

/** Of ranges of addresses; broader ones narrow nothing. */
const WIDEST_BITS = { v4: 8, v6: 32 };

function isNarrowed(condition: unknown): boolean {
  if (typeof condition !== "object" || condition === null) return false;
  return Object.entries(condition).some(
    ([operator, byKey]) =>
      DEMANDING.test(operator) &&
      typeof byKey === "object" &&
      byKey !== null &&
      Object.entries(byKey as object).some(
        ([key, values]) => NARROWING.has(key.toLowerCase()) && strings(values).every(isFixed),
      ),
  );
}

function isFixed(value: string | undefined): boolean {
  if (value === undefined || /[*?]|\$\{/.test(value)) return false;
  const bits = /^[0-9a-f.:]+\/(\d+)$/i.exec(value)?.[1];
  return bits === undefined || Number(bits) >= (value.includes(":") ? WIDEST_BITS.v6 : WIDEST_BITS.v4);
}

function concerns(resource: string, bucket: string): boolean {
  const [, name] = /^arn:aws(?:-[a-z-]+)?:s3:::([^/]+)(?:\/.*)?$/s.exec(resource) ?? [];
  if (name === undefined) return false;
  return globs(name, bucket);
}

/** Whether a pattern of `*` and `?` fits; takes no more than the product of both lengths, whatever comes. */
function globs(pattern: string, text: string): boolean {
  let at = 0;
  let star = -1;
  let mark = 0;
  for (let read = 0; read < text.length;) {
    if (pattern[at] === "*") {
      star = at++;
      mark = read;
    } else if (pattern[at] === "?" || pattern[at] === text[read]) {
      at += 1;
      read += 1;
    } else if (star >= 0) {
      at = star + 1;
      read = ++mark;
    } else return false;
  }
  return pattern.slice(at).replaceAll("*", "") === "";
}

function parse(text: string): Record<string, unknown> | undefined {
  if (!text.startsWith("{")) return undefined;
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}

function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [value];
}

function strings(value: unknown): readonly (string | undefined)[] {
  return list(value).map((entry) => (typeof entry === "string" ? entry : undefined));
}
