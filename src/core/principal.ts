/** Who signed a request. */
export type Principal =
  | { readonly kind: "root"; readonly account: string; readonly arn: string; readonly userId: string }
  | {
      /** Temporary credentials of a role; `arn` is the assumed-role ARN, `userId` is `<role id>:<session name>`. */
      readonly kind: "assumed-role";
      readonly account: string;
      readonly arn: string;
      readonly userId: string;
      readonly roleArn: string;
    }
  | ServicePrincipal;

/** A service of AWS that calls on behalf of a resource: what it may is for the called resource's policy to say. */
export interface ServicePrincipal {
  readonly kind: "service";
  /** The account that the call acts in: that of the resource which is called. */
  readonly account: string;
  /** Such as `sns.amazonaws.com`. */
  readonly service: string;
  /** The resource that caused the call: `aws:SourceArn`, and its account as `aws:SourceAccount`. */
  readonly sourceArn: string | undefined;
  readonly sourceAccount: string;
  readonly arn: string;
  readonly userId: string;
}

export function rootPrincipal(account: string): Principal {
  return { kind: "root", account, arn: `arn:aws:iam::${account}:root`, userId: account };
}

/**
 * @param of `account`: where the call acts; `sourceAccount`: the owner of what caused it, by default the same account
 */
export function servicePrincipal(
  service: string,
  of: { readonly account: string; readonly sourceArn?: string; readonly sourceAccount?: string },
): ServicePrincipal {
  const { account, sourceArn, sourceAccount = account } = of;
  return { kind: "service", account, service, sourceArn, sourceAccount, arn: service, userId: service };
}
