import { iamErrors } from "./errors.ts";

/** Where a document is used: a role's trust policy names principals, the others name resources. */
export type PolicyUse = "identity" | "trust";

const VERSIONS: ReadonlySet<unknown> = new Set(["2012-10-17", "2008-10-17"]);
const POLICY_MEMBERS = ["Version", "Id", "Statement"];
const STATEMENT_MEMBERS = [
  "Sid",
  "Effect",
  "Action",
  "NotAction",
  "Resource",
  "NotResource",
  "Principal",
  "NotPrincipal",
  "Condition",
];

/**
 * Checks a policy document's grammar ("Grammar of the IAM JSON policy language", IAM user guide).
 * @throws AwsError MalformedPolicyDocument
 */
export function checkPolicyDocument(text: string, use: PolicyUse): void {
  let policy: unknown;
  try {
    policy = JSON.parse(text);
  } catch {
    throw iamErrors.malformed(
      use === "trust" ? "This policy contains invalid Json" : "Syntax errors in policy.",
    );
  }
  if (!isObject(policy) || !hasOnly(policy, POLICY_MEMBERS)) throw syntax();
  const version = policy["Version"];
  if (version !== undefined && !VERSIONS.has(version)) throw syntax();
  if (use === "identity" && version !== "2012-10-17")
    throw iamErrors.malformed("Policy document must be version 2012-10-17 or greater.");
  const statements = list(policy["Statement"]);
  if (statements.length === 0) throw syntax();
  const sids = new Set<string>();
  for (const statement of statements) {
    if (!isObject(statement) || !hasOnly(statement, STATEMENT_MEMBERS)) throw syntax();
    checkSid(statement["Sid"], sids);
    if (statement["Effect"] !== "Allow" && statement["Effect"] !== "Deny") throw syntax();
    if (statement["Condition"] !== undefined && !isObject(statement["Condition"])) throw syntax();
    checkActions(statement, use);
    if (use === "trust") checkPrincipal(statement);
    else checkResources(statement);
  }
}

/** A document's size as quotas count it. */
export function policySize(text: string): number {
  return text.replaceAll(/\s/gu, "").length;
}

/** Documents come back from IAM percent-encoded as RFC 3986 has it, which leaves fewer characters than JavaScript does. */
export function encodeDocument(text: string): string {
  return encodeURIComponent(text).replaceAll(
    /[!'()*]/gu,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

function checkSid(sid: unknown, seen: Set<string>): void {
  if (sid === undefined) return;
  if (typeof sid !== "string") throw syntax();
  if (!/^[0-9A-Za-z]*$/u.test(sid))
    throw iamErrors.malformed(
      "Statement IDs (SID) must be alpha-numeric. Check that your input satisfies the regular expression [0-9A-Za-z]*",
    );
  if (sid !== "" && seen.has(sid))
    throw iamErrors.malformed("Statement IDs (SID) in a single policy must be unique.");
  seen.add(sid);
}

function checkActions(statement: Record<string, unknown>, use: PolicyUse): void {
  const actions = oneOf(statement, "Action", "NotAction");
  if (actions.length === 0) throw iamErrors.malformed("Policy statement must contain actions.");
  for (const action of actions) {
    if (action === "*") continue;
    if (!/^[^:\s]+:[^\s]+$/u.test(action))
      throw iamErrors.malformed("Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.");
    if (use === "trust" && !/^sts:/iu.test(action))
      throw iamErrors.malformed("AssumeRole policy may only specify STS AssumeRole actions.");
  }
}

function checkPrincipal(statement: Record<string, unknown>): void {
  if ("Resource" in statement || "NotResource" in statement)
    throw iamErrors.malformed("Has prohibited field Resource");
  const principal = statement["Principal"] ?? statement["NotPrincipal"];
  if (principal === undefined) throw iamErrors.malformed("Missing required field Principal");
  if (principal === "*") return;
  if (!isObject(principal) || Object.keys(principal).length === 0)
    throw iamErrors.malformed("Missing required field Principal cannot be empty!");
  for (const value of Object.values(principal)) strings(value);
}

function checkResources(statement: Record<string, unknown>): void {
  if ("Principal" in statement || "NotPrincipal" in statement)
    throw iamErrors.malformed("Policy document should not specify a principal.");
  const resources = oneOf(statement, "Resource", "NotResource");
  if (resources.length === 0) throw iamErrors.malformed("Policy statement must contain resources.");
  for (const resource of resources) {
    if (!resource.startsWith("arn:") && !/^[*?]/u.test(resource))
      throw iamErrors.malformed(`Resource ${resource} must be in ARN format or "*".`);
  }
}

/** The strings of one of two members, of which at most one may be there. */
function oneOf(statement: Record<string, unknown>, name: string, opposite: string): readonly string[] {
  if (statement[name] !== undefined && statement[opposite] !== undefined) throw syntax();
  return strings(statement[name] ?? statement[opposite]);
}

function strings(value: unknown): readonly string[] {
  const values = list(value);
  if (!values.every((item) => typeof item === "string")) throw syntax();
  return values;
}

function list(value: unknown): readonly unknown[] {
  if (value === undefined) return [];
  return Array.isArray(value) ? value : [value];
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function hasOnly(value: Record<string, unknown>, names: readonly string[]): boolean {
  return Object.keys(value).every((name) => names.includes(name));
}

function syntax() {
  return iamErrors.malformed("Syntax errors in policy.");
}
