import { sqsErrors } from "./errors.ts";
import { LIMITS } from "./limits.ts";
import type { FoundQueue } from "./store.ts";

interface Statement {
  readonly Sid?: string;
  readonly [name: string]: unknown;
}

interface Policy {
  readonly Version?: string;
  readonly Id?: string;
  readonly Statement: readonly Statement[];
}

/** What AddPermission may allow (API reference, AddPermission). */
const ACTIONS = new Set([
  "*",
  "SendMessage",
  "ReceiveMessage",
  "DeleteMessage",
  "ChangeMessageVisibility",
  "GetQueueAttributes",
  "GetQueueUrl",
  "ListDeadLetterSourceQueues",
  "PurgeQueue",
]);

const LABEL = /^[A-Za-z0-9_-]{1,80}$/;

export interface Permission {
  readonly label: string;
  readonly accounts: readonly string[];
  readonly actions: readonly string[];
}

/**
 * The queue's policy with one statement more.
 * @throws AwsError InvalidParameterValue, OverLimit
 */
export function addStatement(queue: FoundQueue, stored: string | undefined, permission: Permission): string {
  const { label, accounts, actions } = permission;
  if (!LABEL.test(label))
    throw sqsErrors.value(
      label,
      "Label",
      "Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length.",
    );
  if (actions.length === 0) throw sqsErrors.missing("Actions");
  if (accounts.length === 0) throw sqsErrors.missing("PrincipalId");
  if (actions.length > LIMITS.policyActions)
    throw sqsErrors.policyLimit(
      `${actions.length} Actions were found, maximum allowed is ${LIMITS.policyActions}.`,
    );
  const wrong = actions.find((action) => !ACTIONS.has(action));
  if (wrong !== undefined)
    throw sqsErrors.value(
      wrong,
      "ActionName",
      "Please refer to the appropriate WSDL for a list of valid actions.",
    );
  const stranger = accounts.find((account) => !/^\d{12}$/.test(account));
  if (stranger !== undefined) throw sqsErrors.value(stranger, "PrincipalId", "Unable to verify.");
  const policy = readPolicy(stored);
  const statements = policy?.Statement ?? [];
  if (statements.some(({ Sid }) => Sid === label)) throw sqsErrors.value(label, "Label", "Already exists.");
  if (statements.length >= LIMITS.policyStatements)
    throw sqsErrors.policyLimit(
      `${statements.length + 1} Statements were found, maximum allowed is ${LIMITS.policyStatements}.`,
    );
  const added: Statement = {
    Sid: label,
    Effect: "Allow",
    Principal: { AWS: oneOrMany(accounts.map((account) => `${rootOf(queue, account)}:root`)) },
    Action: oneOrMany(actions.map((action) => `SQS:${action}`)),
    Resource: queue.arn,
  };
  return JSON.stringify({
    Version: policy?.Version ?? "2008-10-17",
    Id: policy?.Id ?? `${queue.arn}/SQSDefaultPolicy`,
    ...policy,
    Statement: [...statements, added],
  });
}

/**
 * The queue's policy with one statement less; `undefined` where none is left.
 * @throws AwsError InvalidParameterValue
 */
export function removeStatement(stored: string | undefined, label: string): string | undefined {
  const policy = readPolicy(stored);
  const left = policy?.Statement.filter(({ Sid }) => Sid !== label) ?? [];
  if (policy === undefined || left.length === policy.Statement.length)
    throw sqsErrors.value(label, "Label", "can't find label.");
  return left.length === 0 ? undefined : JSON.stringify({ ...policy, Statement: left });
}

/** A policy may have one statement that stands in no list. */
function readPolicy(stored: string | undefined): Policy | undefined {
  if (stored === undefined) return undefined;
  const policy = JSON.parse(stored) as Omit<Policy, "Statement"> & {
    readonly Statement: Statement | readonly Statement[];
  };
  const { Statement: statements } = policy;
  return { ...policy, Statement: isList(statements) ? statements : [statements] };
}

function isList(value: Statement | readonly Statement[]): value is readonly Statement[] {
  return Array.isArray(value);
}

/** IAM's ARNs name no region, but the partition. */
function rootOf({ arn }: FoundQueue, account: string): string {
  return `arn:${arn.split(":")[1] ?? "aws"}:iam::${account}`;
}

function oneOrMany(values: readonly string[]): string | readonly string[] {
  const [only] = values;
  return values.length === 1 && only !== undefined ? only : values;
}
