import type { Clock } from "#core/clock";
import type { Sessions } from "#wire/auth/sessions";

export interface Role {
  /** `AROA…` */
  readonly id: string;
  readonly arn: string;
  readonly name: string;
  readonly maxSessionSeconds: number;
}

/** What STS asks of whoever keeps the roles. */
export interface Roles {
  roleOf(arn: string): Role | undefined;
  /** Whether an ARN names a managed policy that an account can use. */
  hasPolicy(account: string, arn: string): boolean;
}

export interface StsDeps {
  readonly sessions: Sessions;
  readonly roles: Roles;
  readonly clock: Clock;
}
