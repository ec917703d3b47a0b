import type { Clock } from "#core/clock";
import type { Ids } from "#core/ids";
import type { Principal } from "#core/principal";
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
  /** A principal's own tags, and those of its session. */
  tagsOf(principal: Principal): Readonly<Record<string, string>>;
}

/** What STS asks of whoever keeps MFA devices: `unknown` is a code of a device that is not its caller's. */
export interface MfaCodes {
  /** Uses nothing up. */
  check(caller: Principal, serial: string, code: string): "good" | "wrong" | "unknown";
  /** Uses a good code up. */
  use(caller: Principal, serial: string, code: string): Promise<"good" | "wrong" | "unknown">;
}

/** What signs an account's tokens for services elsewhere. */
export interface Issuer {
  readonly issuer: string;
  /** With the private keys in PEM. Never log them. */
  readonly keys: Readonly<Record<"RS256" | "ES384", { readonly id: string; readonly privateKey: string }>>;
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
  readonly mfa: MfaCodes;
  readonly clock: Clock;
  readonly ids: Ids;
  /** The provider of a token's issuer, as an account knows it. */
  readonly providerOf: (account: string, issuer: string) => Provider | undefined;
  /** Where providers publish the keys that they sign with. */
  readonly keySource: KeySource;
  /** Undefined where the account has not enabled it. */
  readonly issuerOf: (account: string) => Issuer | undefined;
  readonly messages: Pick<EncodedMessages, "decode">;
  /** Whether trust policies are asked: not where nobody is refused. */
  readonly enforced: boolean;
}
