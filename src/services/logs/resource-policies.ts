import {
  CURRENT_VERSION,
  listOf,
  type PolicyDocument,
  type PrincipalElement,
  type StatementElement,
} from "#policy/document";
import { parsePolicy, PolicyProblem } from "#policy/grammar";
import type { DocumentKey, Documents } from "#storage/documents";
import { logsErrors } from "./errors.ts";
import type { Scope } from "./store.ts";

/** A policy of an account. */
export interface ResourcePolicyDocument {
  readonly name: string;
  /** As it is told. */
  readonly text: string;
  /** Epoch milliseconds. */
  readonly updated: number;
}

/** The policy of one log group. */
export interface GroupPolicyDocument extends Omit<ResourcePolicyDocument, "name"> {
  readonly group: string;
  /** Another one whenever the policy is put. */
  readonly revisionId: string;
}

/** An account's policies by name, in order; written again whenever one of them changes. */
export interface PolicyIndex {
  readonly names: readonly string[];
}

export const policyKeys = {
  index: ({ account, region }: Scope): DocumentKey => [account, region, "log-resource-policies"],
  one: ({ account, region }: Scope, name: string): DocumentKey => [
    account,
    region,
    "log-resource-policy",
    name,
  ],
  groups: ({ account, region }: Scope): DocumentKey => [account, region, "log-group-policy"],
  ofGroup: (scope: Scope, group: string): DocumentKey => [...policyKeys.groups(scope), group],
} as const;

/**
 * Resources need not be ARNs: AWS took `log_arn`, as recorded (test_describe_resource_policies).
 * @throws AwsError InvalidParameterException
 */
export function requirePolicy(text: string): PolicyDocument {
  try {
    return parsePolicy(text, "resource", { anyResource: true });
  } catch (error) {
    if (error instanceof PolicyProblem) throw logsErrors.policy(error.message);
    throw error;
  }
}

/** A policy as AWS tells it: lists of one are that one, as recorded (test_describe_resource_policies). */
export function normalisedPolicy(policy: PolicyDocument): string {
  const statements = listOf(policy.Statement).map((statement) =>
    Object.fromEntries(
      Object.entries(statement).map(([name, value]) => [
        name,
        name === "Principal" || name === "NotPrincipal" ? ofKinds(value as PrincipalElement) : single(value),
      ]),
    ),
  );
  return JSON.stringify({ ...policy, Statement: statements });
}

function ofKinds(principal: PrincipalElement): PrincipalElement {
  if (principal === "*") return principal;
  return Object.fromEntries(Object.entries(principal).map(([kind, names]) => [kind, single(names)]));
}

function single<T>(value: T): T {
  return Array.isArray(value) && value.length === 1 ? (value[0] as T) : value;
}

/** Policies of accounts, and as many of log groups, that are kept as they are asked about. */
const REMEMBERED = 1000;

type Statements = readonly StatementElement[];

interface Known {
  /** Of every document that it is made from. */
  readonly revisions: string;
  readonly policy: PolicyDocument;
}

/** All that bears on a log group as one document, the same object until a part of it changes. */
export class ResourcePolicies {
  readonly #documents: Documents;
  readonly #accounts = new Map<string, Known>();
  readonly #groups = new Map<string, Known>();

  constructor(documents: Documents) {
    this.#documents = documents;
  }

  /** @returns undefined where there is none */
  of(scope: Scope, group: string): PolicyDocument | undefined {
    const account = this.#ofAccount(scope);
    const own = this.#documents.get<GroupPolicyDocument>(policyKeys.ofGroup(scope, group));
    if (own === undefined) return account?.policy;
    const key = `${scope.account} ${scope.region} ${group}`;
    return remembered(this.#groups, key, `${account?.revisions ?? ""} ${own.revision}`, () => [
      ...listOf(account?.policy.Statement ?? []),
      ...listOf(requirePolicy(own.value.text).Statement),
    ]).policy;
  }

  #ofAccount(scope: Scope): Known | undefined {
    const index = this.#documents.get<PolicyIndex>(policyKeys.index(scope));
    if (index === undefined || index.value.names.length === 0) return undefined;
    return remembered(this.#accounts, `${scope.account} ${scope.region}`, String(index.revision), () =>
      index.value.names.flatMap((name) => {
        const found = this.#documents.get<ResourcePolicyDocument>(policyKeys.one(scope, name));
        return found === undefined ? [] : listOf(requirePolicy(found.value.text).Statement);
      }),
    );
  }
}

function remembered(
  known: Map<string, Known>,
  key: string,
  revisions: string,
  statements: () => Statements,
): Known {
  const found = known.get(key);
  if (found?.revisions === revisions) return found;
  const made: Known = { revisions, policy: { Version: CURRENT_VERSION, Statement: statements() } };
  if (known.size >= REMEMBERED) known.clear();
  known.set(key, made);
  return made;
}
