import type { StatementRef } from "./compile.ts";
import type { PolicySet } from "./policy-set.ts";
import type { PolicyRequest, Verdict } from "./verdict.ts";

/** The policies that bear on whom a request comes from. */
export interface RequesterPolicies {
  /** `undefined` for those who have no policies of their own: roots, services, everybody. */
  readonly identity: PolicySet | undefined;
  readonly boundary: PolicySet | undefined;
  readonly session: PolicySet | undefined;
}

export const NO_POLICIES: RequesterPolicies = {
  identity: undefined,
  boundary: undefined,
  session: undefined,
};

/** The side that a request is about. */
export interface ResourceSide {
  /** The account that owns the resource. */
  readonly account: string;
  readonly policy: PolicySet | undefined;
  /** Nobody may anything that the policy does not allow: roles' trust policies. */
  readonly policyRequired?: boolean;
}

/** Kinds of policies, as AWS's denials name them. */
export type PolicyKind = "identity" | "resource" | "boundary" | "session";

export type Decision =
  | { readonly allowed: true; readonly by: StatementRef | undefined }
  | {
      readonly allowed: false;
      /** The kind of policy that denies, or that should have allowed. */
      readonly kind: PolicyKind;
      /** The statement that denies; `undefined` where none allows. */
      readonly statement: StatementRef | undefined;
    };

const SILENT: Verdict = { deny: undefined, allow: undefined, closeness: undefined };

/** Decides as AWS does (IAM user guide, "Policy evaluation logic"). */
export function decide(request: PolicyRequest, own: RequesterPolicies, resource: ResourceSide): Decision {
  const identity = own.identity?.verdict(request) ?? SILENT;
  const session = own.session?.verdict(request);
  const boundary = own.boundary?.verdict(request);
  const attached = resource.policy?.verdict(request) ?? SILENT;

  if (identity.deny !== undefined) return denied("identity", identity.deny);
  if (attached.deny !== undefined) return denied("resource", attached.deny);
  if (boundary?.deny !== undefined) return denied("boundary", boundary.deny);
  if (session?.deny !== undefined) return denied("session", session.deny);

  const { requester } = request;
  if (requester.kind === "service" || requester.kind === "anonymous" || requester.kind === "federated")
    return attached.allow === undefined ? denied("resource") : allowed(attached.allow);

  if (resource.policyRequired === true && attached.allow === undefined) return denied("resource");
  const foreign = requester.account !== resource.account;
  if (foreign && attached.allow === undefined) {
    // Both sides must allow; AWS names the requester's side first.
    const missing = ownSide(requester.kind, identity, boundary, session);
    return missing ?? denied("resource");
  }
  // A resource's policy that names the very requester needs nothing else within the account.
  if (!foreign && attached.closeness === "direct") return allowed(attached.allow);
  if (!foreign && attached.closeness === "role") return limited(boundary, session) ?? allowed(attached.allow);
  return ownSide(requester.kind, identity, boundary, session) ?? allowed(identity.allow ?? attached.allow);
}

/** What keeps the requester's own policies from allowing, if anything. */
function ownSide(
  kind: PolicyRequest["requester"]["kind"],
  identity: Verdict,
  boundary: Verdict | undefined,
  session: Verdict | undefined,
): Decision | undefined {
  if (kind !== "root" && identity.allow === undefined) return denied("identity");
  return limited(boundary, session);
}

/** Boundaries and session policies grant nothing: what they do not allow too is denied. */
function limited(boundary: Verdict | undefined, session: Verdict | undefined): Decision | undefined {
  if (boundary !== undefined && boundary.allow === undefined) return denied("boundary");
  if (session !== undefined && session.allow === undefined) return denied("session");
  return undefined;
}

function allowed(by: StatementRef | undefined): Decision {
  return { allowed: true, by };
}

function denied(kind: PolicyKind, statement?: StatementRef): Decision {
  return { allowed: false, kind, statement };
}
