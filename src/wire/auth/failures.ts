/** Why a request was not authenticated, with what the client needs to be told. `errors.ts` words each for each service. */
export type Failure =
  | { readonly kind: "missing-token" }
  | { readonly kind: "two-mechanisms" }
  | { readonly kind: "unsupported-authorization"; readonly scheme: string }
  /** `problems` are AWS's sentences, one for each parameter that is missing. */
  | { readonly kind: "incomplete"; readonly problems: readonly string[]; readonly authorization: string }
  | { readonly kind: "malformed-credential"; readonly credential: string }
  | { readonly kind: "wrong-terminator"; readonly terminator: string }
  | { readonly kind: "malformed-region"; readonly region: string }
  | { readonly kind: "malformed-date"; readonly date: string }
  | { readonly kind: "scope-date"; readonly scopeDate: string; readonly date: string }
  | { readonly kind: "host-not-signed" }
  | { readonly kind: "headers-not-signed"; readonly names: readonly string[] }
  | { readonly kind: "unknown-key"; readonly accessKeyId: string }
  | { readonly kind: "invalid-token"; readonly token: string }
  | { readonly kind: "expired-token"; readonly token: string }
  | {
      readonly kind: "mismatch";
      readonly accessKeyId: string;
      readonly signature: string;
      readonly stringToSign: string;
      /** Missing where the signature is a chunk's. */
      readonly canonicalRequest?: string;
    }
  /** Times are epoch milliseconds. */
  | {
      readonly kind: "signed-too-early";
      readonly signed: number;
      readonly now: number;
      readonly skewMs: number;
    }
  | {
      readonly kind: "signed-too-late";
      readonly signed: number;
      readonly now: number;
      readonly skewMs: number;
    }
  | { readonly kind: "presign-incomplete"; readonly missing: readonly string[] }
  | { readonly kind: "presign-lifetime"; readonly problem: "not-a-number" | "negative" | "too-long" }
  | {
      readonly kind: "presign-expired";
      readonly lifetimeSeconds: number;
      readonly expired: number;
      readonly now: number;
    }
  | { readonly kind: "content-hash-missing" }
  | { readonly kind: "content-hash-malformed"; readonly claimed: string }
  | { readonly kind: "content-hash-mismatch"; readonly claimed: string; readonly computed: string }
  | { readonly kind: "decoded-length-missing" }
  | { readonly kind: "payload-incomplete" }
  | { readonly kind: "chunk-malformed" }
  | { readonly kind: "trailer-malformed" }
  | { readonly kind: "payload-too-large"; readonly limit: number };

export type FailureKind = Failure["kind"];

/** Thrown while verifying; `authenticate.ts` turns it into the AwsError that the client's service would answer. */
export class AuthFailure extends Error {
  readonly failure: Failure;

  constructor(failure: Failure) {
    super(failure.kind);
    this.name = "AuthFailure";
    this.failure = failure;
  }
}
