import { isOperator } from "./conditions.ts";
import {
  CURRENT_VERSION,
  listOf,
  POLICY_MEMBERS,
  POLICY_VERSIONS,
  STATEMENT_MEMBERS,
  type PolicyDocument,
} from "./document.ts";
import { resourceProblem } from "./resources.ts";

/** Where a document is used: a role's trust policy names principals, what is attached to identities names resources. */
export type PolicyUse = "identity" | "trust" | "resource";

/** What is wrong with a document, in the words of IAM's MalformedPolicyDocument. */
export class PolicyProblem extends Error {
  constructor(message: string) {
    super(message);
    this.name = "PolicyProblem";
  }
}

type Fields = Readonly<Record<string, unknown>>;

const VERSIONS: ReadonlySet<unknown> = new Set(POLICY_VERSIONS);
const PRINCIPAL_KINDS: ReadonlySet<string> = new Set(["AWS", "Service", "Federated", "CanonicalUser"]);

/** Far deeper than any policy; JSON.parse itself has no limit that a test could rely on. */
const MAX_LENGTH = 512 * 1024;

/**
 * Reads a policy document and checks its grammar ("Grammar of the IAM JSON policy language", IAM user guide).
 * @param anyResource takes what is no ARN for a resource, too; it is nobody's
 * @throws PolicyProblem
 */
export function parsePolicy(text: string, use: PolicyUse, { anyResource = false } = {}): PolicyDocument {
  const policy = parseJson(text, use);
  if (!isObject(policy) || !hasOnly(policy, POLICY_MEMBERS)) throw syntax();
  const { Version, Id, Statement } = policy;
  if (Version !== undefined && !VERSIONS.has(Version)) throw syntax();
  if (Id !== undefined && typeof Id !== "string") throw syntax();
  if (use === "identity" && Version !== CURRENT_VERSION)
    throw new PolicyProblem("Policy document must be version 2012-10-17 or greater.");
  const statements = listOf<unknown>(Statement);
  if (statements.length === 0) throw syntax();
  const sids = new Set<string>();
  for (const statement of statements) {
    if (!isObject(statement) || !hasOnly(statement, STATEMENT_MEMBERS)) throw syntax();
    checkSid(statement["Sid"], sids, use);
    if (statement["Effect"] !== "Allow" && statement["Effect"] !== "Deny") throw syntax();
    checkConditions(statement["Condition"]);
    checkActions(statement, use);
    checkPrincipal(statement, use);
    checkResources(statement, use, anyResource);
  }
  // Each member has been looked at above.
  return policy as unknown as PolicyDocument;
}

function parseJson(text: string, use: PolicyUse): unknown {
  try {
    if (text.length <= MAX_LENGTH) return JSON.parse(text) as unknown;
  } catch {
    // The same answer as to what is too long.
  }
  throw new PolicyProblem(use === "trust" ? "This policy contains invalid Json" : "Syntax errors in policy.");
}

function checkSid(sid: unknown, seen: Set<string>, use: PolicyUse): void {
  if (sid === undefined) return;
  if (typeof sid !== "string") throw syntax();
  // Policies of resources may have any Sid.
  if (use !== "resource" && !/^[0-9A-Za-z]*$/u.test(sid))
    throw new PolicyProblem(
      "Statement IDs (SID) must be alpha-numeric. Check that your input satisfies the regular expression [0-9A-Za-z]*",
    );
  if (sid !== "" && seen.has(sid))
    throw new PolicyProblem("Statement IDs (SID) in a single policy must be unique.");
  seen.add(sid);
}

function checkConditions(condition: unknown): void {
  if (condition === undefined) return;
  if (!isObject(condition)) throw syntax();
  for (const [operator, keys] of Object.entries(condition)) {
    if (!isOperator(operator)) throw new PolicyProblem(`Invalid Condition type : ${operator}`);
    if (!isObject(keys)) throw syntax();
    for (const [key, values] of Object.entries(keys)) {
      if (!/^[^:\s]+:[^\s]/u.test(key))
        throw new PolicyProblem("Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.");
      if (!listOf<unknown>(values).every((value) => ["string", "number", "boolean"].includes(typeof value)))
        throw syntax();
    }
  }
}

function checkActions(statement: Fields, use: PolicyUse): void {
  const actions = oneOf(statement, "Action", "NotAction");
  if (actions.length === 0) throw new PolicyProblem("Policy statement must contain actions.");
  for (const action of actions) {
    if (action === "*") continue;
    const [vendor = "", name, rest] = action.split(":");
    if (name === undefined || vendor === "")
      throw new PolicyProblem("Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.");
    if (rest !== undefined) throw new PolicyProblem("Actions/Condition can contain only one colon.");
    if (!/^[a-zA-Z0-9-]+$/.test(vendor)) throw new PolicyProblem(`Vendor ${vendor} is not valid`);
    if (!/^[a-zA-Z0-9*?-]+$/.test(name)) throw new PolicyProblem("The policy failed legacy parsing");
    if (use === "trust" && vendor.toLowerCase() !== "sts")
      throw new PolicyProblem("AssumeRole policy may only specify STS AssumeRole actions.");
  }
}

function checkPrincipal(statement: Fields, use: PolicyUse): void {
  const { Principal, NotPrincipal } = statement;
  if (use === "identity") {
    if (Principal !== undefined || NotPrincipal !== undefined)
      throw new PolicyProblem("Policy document should not specify a principal.");
    return;
  }
  if (Principal !== undefined && NotPrincipal !== undefined) throw syntax();
  const principal = Principal ?? NotPrincipal;
  if (principal === undefined) throw new PolicyProblem("Missing required field Principal");
  if (principal === "*") return;
  if (!isObject(principal) || Object.keys(principal).length === 0)
    throw new PolicyProblem("Missing required field Principal cannot be empty!");
  if (!hasOnly(principal, PRINCIPAL_KINDS)) throw syntax();
  for (const value of Object.values(principal)) strings(value);
}

function checkResources(statement: Fields, use: PolicyUse, anyResource: boolean): void {
  if (use === "trust") {
    for (const field of ["Resource", "NotResource"])
      if (field in statement) throw new PolicyProblem(`Has prohibited field ${field}`);
    return;
  }
  const resources = oneOf(statement, "Resource", "NotResource");
  if (resources.length === 0) throw new PolicyProblem("Policy statement must contain resources.");
  for (const resource of anyResource ? [] : resources) {
    const problem = resourceProblem(resource);
    if (problem !== undefined) throw new PolicyProblem(problem);
  }
}

/** The strings of one of two members, of which at most one may be there. */
function oneOf(statement: Fields, name: string, opposite: string): readonly string[] {
  if (statement[name] !== undefined && statement[opposite] !== undefined) throw syntax();
  return strings(statement[name] ?? statement[opposite]);
}

function strings(value: unknown): readonly string[] {
  const values = listOf<unknown>(value);
  if (!values.every((item) => typeof item === "string")) throw syntax();
  return values;
}

function isObject(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function hasOnly(value: Fields, names: ReadonlySet<string>): boolean {
  return Object.keys(value).every((name) => names.has(name));
}

function syntax(): PolicyProblem {
  return new PolicyProblem("Syntax errors in policy.");
}
