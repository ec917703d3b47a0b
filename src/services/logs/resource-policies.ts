import { CURRENT_VERSION, listOf, type PolicyDocument } from "#policy/document";
import { parsePolicy, PolicyProblem } from "#policy/grammar";
import type { DocumentKey, Documents } from "#storage/documents";
import { logsErrors } from "./errors.ts";
import type { Scope } from "./store.ts";

export interface ResourcePolicyDocument {
  readonly name: string;
  /** As it was put. */
  readonly text: string;
  /** Epoch milliseconds. */
  readonly updated: number;
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
} as const;

/** @throws AwsError InvalidParameterException */
export function requirePolicy(text: string): PolicyDocument {
  try {
    return parsePolicy(text, "resource");
  } catch (error) {
    if (error instanceof PolicyProblem) throw logsErrors.policy(error.message);
    throw error;
  }
}

/** Accounts and regions whose policies are kept as one. */
const REMEMBERED = 1000;

/** All of an account's policies as one document, the same object until one of them changes; undefined without any. */
export class AccountPolicies {
  readonly #documents: Documents;
  readonly #known = new Map<string, { readonly revision: number; readonly policy: PolicyDocument }>();

  constructor(documents: Documents) {
    this.#documents = documents;
  }

  of(scope: Scope): PolicyDocument | undefined {
    const index = this.#documents.get<PolicyIndex>(policyKeys.index(scope));
    if (index === undefined || index.value.names.length === 0) return undefined;
    const key = `${scope.account} ${scope.region}`;
    const { revision } = index;
    const known = this.#known.get(key);
    if (known?.revision === revision) return known.policy;
    const statements = index.value.names.flatMap((name) => {
      const found = this.#documents.get<ResourcePolicyDocument>(policyKeys.one(scope, name));
      return found === undefined ? [] : listOf(requirePolicy(found.value.text).Statement);
    });
    const policy: PolicyDocument = { Version: CURRENT_VERSION, Statement: statements };
    if (this.#known.size >= REMEMBERED) this.#known.clear();
    this.#known.set(key, { revision, policy });
    return policy;
  }
}
