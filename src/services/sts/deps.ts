import type { Clock } from "#core/clock";
import type { ConditionKeys } from "#policy/keys";
import type { Sessions } from "#wire/auth/sessions";
import type { EncodedMessages } from "#wire/authorisation/encoded-messages";
import type { KeySource } from "./web-identity/key-source.ts";

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
  /** Whether a role's trust policy lets somebody whom a provider vouches for do all of `actions`, in lower case. */
  trustsFederated(
    roleArn: string,
    actions: readonly string[],
    provider: string,
    keys: ConditionKeys,
  ): boolean;
}

/** An OpenID Connect provider that an account trusts. */
export interface Provider {
  readonly arn: string;
  /** The audiences that its tokens may be for. */
  readonly clientIds: readonly string[];
}

export interface StsDeps {
  readonly sessions: Sessions;
  readonly roles: Roles;
  readonly clock: Clock;
  /** The provider of a token's issuer, as an account knows it. */
  readonly providerOf: (account: string, issuer: string) => Provider | undefined;
  /** Where providers publish the keys that they sign with. */
  readonly keySource: KeySource;
  readonly messages: Pick<EncodedMessages, "decode">;
  /** Whether trust policies are asked: not where nobody is refused. */
  readonly enforced: boolean;
}
