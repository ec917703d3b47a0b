import { parseArn } from "#core/arn";
import type { PolicyDocument } from "#policy/document";
import type { Documents } from "#storage/documents";
import { keys } from "./store.ts";

/** Accounts and regions whose policies are kept in memory; callers may name any number that hold nothing. */
const KEPT_SCOPES = 500;
const KEPT_POLICIES = 20_000;

/** Policies of functions, versions and aliases by ARN, kept until a commit changes one. */
export interface FunctionPolicies {
  /** The same object for as long as it says the same. */
  of(arn: string): PolicyDocument | undefined;
  clear(): void;
  close(): void;
}

export function createFunctionPolicies(documents: Documents): FunctionPolicies {
  const scopes = new Map<string, () => void>();
  const kept = new Map<string, PolicyDocument | undefined>();

  function watch(account: string, region: string): boolean {
    const scope = `${account}/${region}`;
    if (scopes.has(scope)) return true;
    if (scopes.size >= KEPT_SCOPES) return false;
    scopes.set(
      scope,
      documents.watch([account, region, "function-policy"], () => kept.clear()),
    );
    return true;
  }

  return {
    of(arn) {
      if (kept.has(arn)) return kept.get(arn);
      const parsed = parseArn(arn);
      const [kind, name, qualifier = "$LATEST"] = parsed?.resource.split(":") ?? [];
      if (parsed === undefined || kind !== "function" || name === undefined) return undefined;
      const policy = documents.get<PolicyDocument>(keys.policy(parsed, name, qualifier))?.value;
      if (watch(parsed.account, parsed.region)) {
        if (kept.size >= KEPT_POLICIES) kept.clear();
        kept.set(arn, policy);
      }
      return policy;
    },
    clear: () => kept.clear(),
    close() {
      for (const stop of scopes.values()) stop();
      scopes.clear();
      kept.clear();
    },
  };
}
