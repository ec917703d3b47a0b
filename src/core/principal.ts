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
    };

export function rootPrincipal(account: string): Principal {
  return { kind: "root", account, arn: `arn:aws:iam::${account}:root`, userId: account };
}
