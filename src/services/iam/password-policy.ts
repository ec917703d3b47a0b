import type * as client from "@aws-sdk/client-iam";
import type { DocumentKey, Documents } from "#storage/documents";
import { iamErrors } from "./errors.ts";
import { REGION } from "./store.ts";

export type PasswordPolicy = Omit<client.PasswordPolicy, "ExpirePasswords">;

export function passwordPolicyKey(account: string): DocumentKey {
  return [account, REGION, "account", "password-policy"];
}

/** @throws AwsError PasswordPolicyViolation where an account's policy asks for more; without one anything goes */
export function requirePassword(documents: Documents, account: string, password: string): void {
  const policy = documents.get<PasswordPolicy>(passwordPolicyKey(account))?.value;
  if (policy === undefined) return;
  const { MinimumPasswordLength: length = 0 } = policy;
  if (password.length < length) throw iamErrors.weakPassword(`a minimum length of ${length}`);
  const rules = [
    [policy.RequireSymbols, /[^A-Za-z0-9\s]/, "at least one symbol"],
    [policy.RequireNumbers, /[0-9]/, "at least one number"],
    [policy.RequireUppercaseCharacters, /[A-Z]/, "at least one uppercase letter"],
    [policy.RequireLowercaseCharacters, /[a-z]/, "at least one lowercase letter"],
  ] as const;
  for (const [required, pattern, words] of rules)
    if (required === true && !pattern.test(password)) throw iamErrors.weakPassword(words);
}
