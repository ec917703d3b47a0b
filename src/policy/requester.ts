/** Who asks, as policies see it. */
export type Requester =
  | { readonly kind: "root"; readonly account: string; readonly arn: string }
  | { readonly kind: "user"; readonly account: string; readonly arn: string }
  | {
      /** A session of a role; `arn` is the session's. */
      readonly kind: "role";
      readonly account: string;
      readonly arn: string;
      readonly roleArn: string;
    }
  | {
      /** A session that a user, or the account's root, made with GetFederationToken. */
      readonly kind: "federated-user";
      readonly account: string;
      readonly arn: string;
      readonly userArn: string;
    }
  | {
      /** An AWS service on its own behalf; `arn` is its name, such as `sns.amazonaws.com`. */
      readonly kind: "service";
      readonly account: string;
      readonly arn: string;
      /** Another name of it, with its region: `logs.us-east-1.amazonaws.com`. */
      readonly regionalName?: string | undefined;
    }
  | {
      /** Somebody whom an identity provider vouches for; `arn` is the provider's, or its host's name. */
      readonly kind: "federated";
      readonly account: string;
      readonly arn: string;
    }
  | { readonly kind: "anonymous"; readonly account: ""; readonly arn: "" };

export const ANONYMOUS: Requester = { kind: "anonymous", account: "", arn: "" };
