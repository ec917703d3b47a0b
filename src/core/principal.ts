/** Who signed a request. */
export type Principal =
  | RootPrincipal
  | UserPrincipal
  | RolePrincipal
  | FederatedPrincipal
  | ServicePrincipal
  | AnonymousPrincipal;

export interface RootPrincipal {
  readonly kind: "root";
  readonly account: string;
  readonly arn: string;
  readonly userId: string;
}

/** An IAM user, with its own keys or with those of GetSessionToken. */
export interface UserPrincipal {
  readonly kind: "user";
  readonly account: string;
  readonly arn: string;
  /** `AIDA…` */
  readonly userId: string;
  readonly userName: string;
  /** The long-term key that signed. */
  readonly accessKeyId?: string;
  readonly session?: SessionTraits;
}

/** Temporary credentials of a role; `arn` is the assumed-role ARN, `userId` is `<role id>:<session name>`. */
export interface RolePrincipal {
  readonly kind: "assumed-role";
  readonly account: string;
  readonly arn: string;
  readonly userId: string;
  readonly roleArn: string;
  readonly session?: SessionTraits;
}

/** Credentials of GetFederationToken; `userId` is `<account>:<name>`. */
export interface FederatedPrincipal {
  readonly kind: "federated-user";
  readonly account: string;
  readonly arn: string;
  readonly userId: string;
  /** The IAM user or root who asked for them. */
  readonly issuer: RootPrincipal | UserPrincipal;
  readonly session: SessionTraits;
}

/** A service of AWS that calls on behalf of a resource: what it may is for the called resource's policy to say. */
export interface ServicePrincipal {
  readonly kind: "service";
  /** The account that the call acts in: that of the resource which is called. */
  readonly account: string;
  /** Such as `sns.amazonaws.com`. */
  readonly service: string;
  /** Its name in one region, where policies may name it so: `logs.us-east-1.amazonaws.com`. */
  readonly regionalName?: string;
  /** The resource that caused the call: `aws:SourceArn`, and its account as `aws:SourceAccount`. */
  readonly sourceArn: string | undefined;
  readonly sourceAccount: string;
  readonly arn: string;
  readonly userId: string;
}

/** Somebody who did not sign: may what a resource's policy lets everybody do. */
export interface AnonymousPrincipal {
  readonly kind: "anonymous";
  /** The account that the call acts in: that of the resource which is called. */
  readonly account: string;
  readonly arn: "anonymous";
  readonly userId: "anonymous";
}

/** Whether policies of its own, or those of whom it is a session, say what a principal may. */
export function hasPolicies(
  principal: Principal,
): principal is UserPrincipal | RolePrincipal | FederatedPrincipal {
  const { kind } = principal;
  return kind !== "root" && kind !== "service" && kind !== "anonymous";
}

/** What temporary credentials carry beside their holder. */
export interface SessionTraits {
  /** Epoch milliseconds. */
  readonly issuedAt: number;
  /** When a code of its holder's MFA device was given for it, in epoch milliseconds; not there where none was. */
  readonly mfaAt?: number;
  /** When its credentials end, in epoch milliseconds; not there where a service acts without any. */
  readonly expiresAt?: number;
  /** Session policies: the documents that were handed in, and managed policies by ARN. */
  readonly policies?: readonly string[];
  readonly policyArns?: readonly string[];
  readonly tags?: Readonly<Record<string, string>>;
  /** The tags that sessions inherit which are made with this one. */
  readonly transitiveTags?: readonly string[];
  readonly sourceIdentity?: string;
  /** The identity provider that vouched for its holder. */
  readonly federatedProvider?: string;
  /** The function whose execution environment it was made for: `lambda:SourceFunctionArn`. */
  readonly sourceFunctionArn?: string;
}

export function anonymousPrincipal(account: string): AnonymousPrincipal {
  return { kind: "anonymous", account, arn: "anonymous", userId: "anonymous" };
}

export function rootPrincipal(account: string): RootPrincipal {
  return { kind: "root", account, arn: `arn:aws:iam::${account}:root`, userId: account };
}

/**
 * @param of `account`: where the call acts; `sourceAccount`: the owner of what caused it, by default the same account;
 * `region`: of a service that policies may name by its region too
 */
export function servicePrincipal(
  service: string,
  of: {
    readonly account: string;
    readonly sourceArn?: string;
    readonly sourceAccount?: string;
    readonly region?: string;
  },
): ServicePrincipal {
  const { account, sourceArn, sourceAccount = account, region } = of;
  const named = region === undefined ? {} : { regionalName: service.replace(".", `.${region}.`) };
  return {
    kind: "service",
    account,
    service,
    ...named,
    sourceArn,
    sourceAccount,
    arn: service,
    userId: service,
  };
}
