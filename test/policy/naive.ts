import type { PolicyDocument, StatementElement } from "../../src/policy/document.ts";
import type { Requester } from "../../src/policy/requester.ts";

/**
 * A second evaluator, written from the IAM user guide's text alone ("Policy evaluation logic", "How IAM evaluates
 * requests within an account", "Cross-account policy evaluation logic"), without any of the first one's parts: slow,
 * literal, and the measure of the fast one in property tests.
 */
export interface NaiveCase {
  readonly requester: Requester;
  readonly action: string;
  readonly resource: string;
  readonly owner: string;
  readonly context: Readonly<Record<string, readonly string[]>>;
  readonly identity: readonly PolicyDocument[];
  readonly boundary: PolicyDocument | undefined;
  readonly session: PolicyDocument | undefined;
  readonly attached: PolicyDocument | undefined;
}

export function naiveAllows(c: NaiveCase): boolean {
  const everything = [...c.identity, c.boundary, c.session, c.attached].filter((each) => each !== undefined);
  // Step 1: an explicit deny in any applicable policy ends it.
  for (const policy of everything)
    for (const statement of statementsOf(policy))
      if (statement.Effect === "Deny" && matches(statement, policy, c, true)) return false;

  // Step 2: what the resource's policy grants.
  const grants = (c.attached === undefined ? [] : statementsOf(c.attached)).filter(
    (statement) =>
      statement.Effect === "Allow" && c.attached !== undefined && matches(statement, c.attached, c, true),
  );
  const sameAccount = c.requester.account === c.owner;
  if (c.requester.kind === "service" || c.requester.kind === "anonymous" || c.requester.kind === "federated")
    return grants.length > 0;
  const allowedBy = (policy: PolicyDocument | undefined): boolean =>
    policy !== undefined &&
    statementsOf(policy).some((one) => one.Effect === "Allow" && matches(one, policy, c, false));
  const boundaryPermits = c.boundary === undefined || allowedBy(c.boundary);
  const sessionPermits = c.session === undefined || allowedBy(c.session);
  if (sameAccount) {
    // Granted to the very user or session (or to everybody): not limited by anything that is implicit.
    if (grants.some((grant) => namesVeryRequester(grant, c.requester))) return true;
    // Granted to the role (or the federated user's user): limited by boundary and session policy.
    if (grants.some((grant) => namesRole(grant, c.requester)) && boundaryPermits && sessionPermits)
      return true;
  } else if (grants.length === 0) return false;
  // Step 3: identity policies, then boundary, then session policy.
  const identityPermits = c.requester.kind === "root" || c.identity.some((policy) => allowedBy(policy));
  return identityPermits && boundaryPermits && sessionPermits;
}

function statementsOf(policy: PolicyDocument): readonly StatementElement[] {
  return many(policy.Statement) as readonly StatementElement[];
}

function many(value: unknown): readonly unknown[] {
  return value === undefined ? [] : Array.isArray(value) ? value : [value];
}

function matches(s: StatementElement, policy: PolicyDocument, c: NaiveCase, named: boolean): boolean {
  const fitsAction = (list: unknown) => many(list).some((one) => wild(String(one), c.action, true));
  if (s.Action !== undefined ? !fitsAction(s.Action) : fitsAction(s.NotAction)) return false;
  const variables = policy.Version === "2012-10-17";
  const answers = (list: unknown) =>
    many(list).map((one) => wildArn(substitute(String(one), c.context, variables), c.resource));
  if (s.Resource !== undefined && !answers(s.Resource).includes(true)) return false;
  if (s.NotResource !== undefined && answers(s.NotResource).some((answer) => answer !== false)) return false;
  if (
    named &&
    s.Principal !== undefined &&
    !(namesVeryRequester(s, c.requester) || namesRole(s, c.requester) || namesAccount(s, c.requester))
  )
    return false;
  if (named && s.NotPrincipal !== undefined && !namesVeryRequester(s, c.requester)) return false;
  return Object.entries(s.Condition ?? {}).every(([operator, keys]) =>
    Object.entries(keys).every(([key, values]) =>
      holds(operator, c.context[key.toLowerCase()], many(values).map(String), c.context, variables),
    ),
  );
}

function listed(s: StatementElement, kind: string): readonly string[] {
  return s.Principal === "*" ? ["*"] : (many(s.Principal?.[kind]) as string[]);
}

function namesVeryRequester(s: StatementElement, r: Requester): boolean {
  if (s.NotPrincipal !== undefined) {
    const element = s.NotPrincipal;
    if (element === "*") return false;
    const aws = many(element["AWS"]) as string[];
    if (aws.includes("*") || aws.includes(r.arn)) return false;
    if (r.kind === "service") return !many(element["Service"]).includes(r.arn);
    if (r.kind === "role" && aws.includes(r.roleArn)) return false;
    if (r.kind === "federated-user" && aws.includes(r.userArn)) return false;
    return !(r.kind === "root" && aws.includes(r.account));
  }
  if (listed(s, "AWS").includes("*")) return true;
  if (r.kind === "service") return listed(s, "Service").includes(r.arn);
  if (r.kind === "root") return [r.arn, r.account].some((name) => listed(s, "AWS").includes(name));
  return r.kind !== "anonymous" && r.kind !== "federated" && listed(s, "AWS").includes(r.arn);
}

function namesRole(s: StatementElement, r: Requester): boolean {
  if (r.kind === "role") return listed(s, "AWS").includes(r.roleArn);
  return r.kind === "federated-user" && listed(s, "AWS").includes(r.userArn);
}

function namesAccount(s: StatementElement, r: Requester): boolean {
  if (r.kind === "service" || r.kind === "anonymous" || r.kind === "federated") return false;
  return [r.account, `arn:aws:iam::${r.account}:root`].some((name) => listed(s, "AWS").includes(name));
}

function holds(
  operator: string,
  values: readonly string[] | undefined,
  wanted: readonly string[],
  context: NaiveCase["context"],
  variables: boolean,
): boolean {
  const present = values !== undefined && values.length > 0;
  if (operator === "Null") return wanted.includes(String(!present));
  const set = /^(ForAllValues|ForAnyValue):/.exec(operator)?.[1];
  const ifExists = operator.endsWith("IfExists");
  const base = operator.replace(/^For\w+Values?:/, "").replace(/IfExists$/, "");
  const negative = base.includes("Not");
  if (!present) {
    if (set === "ForAllValues" || ifExists) return true;
    return set === undefined && negative;
  }
  const expanded = wanted.map((one) => substitute(one, context, variables));
  const one = (value: string): boolean => {
    const hit = expanded.some((want) => want !== undefined && compare(base.replace("Not", ""), value, want));
    return negative ? !hit && !expanded.includes(undefined) : hit;
  };
  if (set === "ForAllValues") return values.every(one);
  if (set === "ForAnyValue") return values.some(one);
  return negative ? values.every(one) : values.some(one);
}

function compare(operator: string, value: string, want: string): boolean {
  switch (operator) {
    case "StringEquals":
      return value === unmark(want);
    case "StringLike":
      return wild(want, value, false);
    case "NumericLessThan":
      return Number(value) < Number(want);
    default:
      throw new Error(`the naive evaluator does not know ${operator}`);
  }
}

/** Wildcards that a variable brought in are marked, so that they stay text. */
const MARK = "\uE000";

function substitute(text: string, context: NaiveCase["context"], on: boolean): string | undefined {
  if (!on) return text;
  let missing = false;
  const result = text.replaceAll(/\$\{([^}]*)\}/g, (_all, name: string) => {
    const value = context[name.toLowerCase()];
    if (value?.length !== 1) missing = true;
    return (value?.[0] ?? "").replaceAll(/[*?]/g, (wildcard) => MARK + wildcard);
  });
  return missing ? undefined : result;
}

function unmark(text: string): string {
  return text.replaceAll(MARK, "");
}

function wild(pattern: string, text: string, ignoreCase: boolean): boolean {
  const source = pattern
    .replaceAll(/[.+^${}()|[\]\\]/g, String.raw`\$&`)
    .replaceAll(/(\uE000?)([*?])/g, (_all, mark: string, wildcard: string) =>
      mark === ""
        ? wildcard === "*"
          ? ".*"
          : "."
        : String.raw`\${wildcard}`.replace("${wildcard}", wildcard),
    );
  return new RegExp(`^${source}$`, ignoreCase ? "is" : "s").test(text);
}

function wildArn(pattern: string | undefined, text: string): boolean | undefined {
  if (pattern === undefined) return undefined;
  if (pattern === "*") return true;
  const sixParts = (arn: string): string[] => {
    const all = arn.split(":");
    return [...all.slice(0, 5), ...(all.length > 5 ? [all.slice(5).join(":")] : [])];
  };
  const [wanted, given] = [sixParts(pattern), sixParts(text)];
  return given.length === 6 && given.every((part, index) => wild(wanted[index] ?? "*", part, false));
}
