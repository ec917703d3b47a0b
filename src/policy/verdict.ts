import type { StatementRef } from "./compile.ts";
import type { ConditionKeys } from "./keys.ts";
import type { Closeness } from "./principals.ts";
import type { Requester } from "./requester.ts";

/** One action on one resource, and who asks. */
export interface PolicyRequest {
  /** In lower case, `lambda:invokefunction`. */
  readonly action: string;
  /** An ARN, or `*` where an action works on no resource. */
  readonly resource: string;
  readonly requester: Requester;
  readonly keys: ConditionKeys;
}

/** What a group of policies says. */
export interface Verdict {
  /** The first statement that denies. */
  readonly deny: StatementRef | undefined;
  /** The statement that allows, the closest where several do. */
  readonly allow: StatementRef | undefined;
  /** How closely `allow` names the requester; `direct` in policies that name nobody. */
  readonly closeness: Closeness | undefined;
}
