import { snsErrors } from "../errors.ts";
import { isMembers, type Members } from "../json.ts";
import { LIMITS } from "../limits.ts";

const DEFAULT_ACTIONS = [
  "GetTopicAttributes",
  "SetTopicAttributes",
  "AddPermission",
  "RemovePermission",
  "DeleteTopic",
  "Subscribe",
  "ListSubscriptionsByTopic",
  "Publish",
];

/** What AddPermission may grant (recorded: "Policy statement action out of service scope!" for all else). */
const GRANTABLE: ReadonlySet<string> = new Set([
  ...DEFAULT_ACTIONS,
  "Unsubscribe",
  "GetDataProtectionPolicy",
  "PutDataProtectionPolicy",
]);

/** The policy of a topic that was given none, as AWS writes it: its own account may do everything. */
export function defaultPolicy(arn: string, account: string): string {
  return JSON.stringify({
    Version: "2008-10-17",
    Id: "__default_policy_ID",
    Statement: [
      {
        Sid: "__default_statement_ID",
        Effect: "Allow",
        Principal: { AWS: "*" },
        Action: DEFAULT_ACTIONS.map((action) => `SNS:${action}`),
        Resource: arn,
        Condition: { StringEquals: { "AWS:SourceOwner": account } },
      },
    ],
  });
}

/**
 * Checks that a policy is one, by the grammar of IAM's policies, and keeps it as it was written.
 * @throws AwsError InvalidParameter
 */
export function requirePolicy(text: string): string {
  if (Buffer.byteLength(text) > LIMITS.policyBytes) throw snsErrors.parameter("Policy", "policy is too long");
  let policy: unknown;
  try {
    policy = JSON.parse(text);
  } catch {
    throw snsErrors.parameter("Policy Error: null");
  }
  if (!isMembers(policy) || !statementsOf(policy).every(isStatement))
    throw snsErrors.parameter("Policy statement could not be parsed");
  return text;
}

/** Adds a statement for accounts. @throws AwsError InvalidParameter where the label is taken or an action is unknown */
export function addStatement(
  policy: string,
  of: {
    readonly label: string;
    readonly accounts: readonly string[];
    readonly actions: readonly string[];
    readonly arn: string;
  },
): string {
  const { label, accounts, actions, arn } = of;
  if (!actions.every((action) => GRANTABLE.has(action)))
    throw snsErrors.parameter("Policy statement action out of service scope!");
  const document = JSON.parse(policy) as Members;
  const statements = statementsOf(document);
  if (statements.some((statement) => isMembers(statement) && statement["Sid"] === label))
    throw snsErrors.parameter("Statement already exists");
  const statement = {
    Sid: label,
    Effect: "Allow",
    Principal: { AWS: single(accounts.map(accountPrincipal)) },
    Action: single(actions.map((action) => `SNS:${action}`)),
    Resource: arn,
  };
  return JSON.stringify({ ...document, Statement: [...statements, statement] });
}

export function removeStatement(policy: string, label: string): string {
  const document = JSON.parse(policy) as Members;
  const rest = statementsOf(document).filter(
    (statement) => !isMembers(statement) || statement["Sid"] !== label,
  );
  return JSON.stringify({ ...document, Statement: rest });
}

function accountPrincipal(account: string): string {
  if (!/^\d{12}$/u.test(account)) throw snsErrors.parameter("AWSAccountId");
  return `arn:aws:iam::${account}:root`;
}

/** One value stands alone, several in a list (recorded: test_topic_add_permission). */
function single(values: readonly string[]): string | readonly string[] {
  const [only, ...more] = values;
  return only !== undefined && more.length === 0 ? only : values;
}

function statementsOf(policy: Members): readonly unknown[] {
  const { Statement: statements } = policy;
  return Array.isArray(statements) ? statements : [statements];
}

function isStatement(statement: unknown): boolean {
  if (!isMembers(statement)) return false;
  const { Effect: effect, Condition: condition } = statement;
  return (
    (effect === "Allow" || effect === "Deny") &&
    (condition === undefined || isMembers(condition)) &&
    exactlyOne(statement, "Principal", "NotPrincipal", isPrincipal) &&
    exactlyOne(statement, "Action", "NotAction", isStrings) &&
    exactlyOne(statement, "Resource", "NotResource", isStrings)
  );
}

function exactlyOne(
  statement: Members,
  name: string,
  opposite: string,
  fits: (value: unknown) => boolean,
): boolean {
  const [value, negated] = [statement[name], statement[opposite]];
  return (value === undefined) !== (negated === undefined) && fits(value ?? negated);
}

function isPrincipal(value: unknown): boolean {
  return value === "*" || (isMembers(value) && Object.values(value).every(isStrings));
}

function isStrings(value: unknown): boolean {
  return typeof value === "string" || (Array.isArray(value) && value.every((one) => typeof one === "string"));
}
