/** One way in which an input breaks its service's rules. */
export interface Violation {
  /** The member's place as AWS writes it, such as `vpcConfig.subnetIds` or `tags.1.member.key`. */
  readonly path: string;
  /** The value that was found; `undefined` where there is none. */
  readonly value: unknown;
  /** The value as AWS's messages show it. */
  readonly shown: string;
  readonly rule: Rule;
  /** The rule in AWS's words, such as `Member must have length less than or equal to 64`. */
  readonly wording: string;
}

export type Rule =
  | { readonly kind: "required" }
  | { readonly kind: "pattern" }
  | { readonly kind: "enum" }
  | { readonly kind: "elements" }
  | { readonly kind: "min"; readonly limit: number }
  | { readonly kind: "max"; readonly limit: number };
