import { compilePolicy, type CompiledPolicy, type Statement } from "#policy/compile";
import { decide, type RequesterPolicies } from "#policy/decide";
import type { PolicyDocument } from "#policy/document";
import { applies, PolicySet } from "#policy/policy-set";
import type { Requester } from "#policy/requester";
import type { PolicyRequest } from "#policy/verdict";

/** A policy that a simulation looks at, with its text, to say where in it a statement stands. */
export interface SimulatedPolicy {
  readonly id: string;
  readonly type: "IAM Policy" | "Resource Policy";
  readonly text: string;
  readonly document: PolicyDocument;
}

export interface Simulation {
  readonly requester: Requester;
  readonly identity: readonly SimulatedPolicy[];
  readonly boundaries: readonly SimulatedPolicy[];
  readonly resourcePolicy: SimulatedPolicy | undefined;
  /** The account that owns the resources. */
  readonly owner: string;
  /** Condition keys by name in lower case. */
  readonly context: Readonly<Record<string, readonly string[]>>;
}

export interface Simulated {
  readonly decision: "allowed" | "explicitDeny" | "implicitDeny";
  readonly matched: readonly { readonly policy: SimulatedPolicy; readonly statement: Statement }[];
  /** Keys that policies ask for and that the context lacks, as the policies write them. */
  readonly missing: readonly string[];
  /** What the boundary says; undefined without one. */
  readonly allowedByBoundary: boolean | undefined;
}

/** Decides as a request would be decided, and tells why. */
export function simulate(simulation: Simulation, action: string, resource: string): Simulated {
  const { requester, identity, boundaries, resourcePolicy, owner, context } = simulation;
  const request: PolicyRequest = {
    action: action.toLowerCase(),
    resource,
    requester,
    keys: (name) => context[name],
  };
  const compiled = new Map(
    [...identity, ...boundaries, ...(resourcePolicy === undefined ? [] : [resourcePolicy])].map(
      (policy) => [policy, compilePolicy(policy.id, policy.document)] as const,
    ),
  );
  const setOf = (policies: readonly SimulatedPolicy[]): PolicySet =>
    new PolicySet(policies.flatMap((policy) => compiled.get(policy) ?? []));
  const boundary = boundaries.length === 0 ? undefined : setOf(boundaries);
  const own: RequesterPolicies = { identity: setOf(identity), boundary, session: undefined };
  const attached = resourcePolicy === undefined ? undefined : setOf([resourcePolicy]);
  const decision = decide(request, own, { account: owner, policy: attached });

  const matching = [...compiled].flatMap(([policy, { statements }]) =>
    statements
      .filter((statement) => applies(statement, request) !== undefined)
      .map((statement) => ({ policy, statement })),
  );
  const denying = matching.filter(({ statement }) => statement.effect === "Deny");
  const shown = denying.length > 0 ? denying : matching.filter(({ policy }) => !boundaries.includes(policy));
  const boundaryVerdict = boundary?.verdict(request);
  return {
    decision: decision.allowed
      ? "allowed"
      : decision.statement === undefined
        ? "implicitDeny"
        : "explicitDeny",
    matched: decision.allowed || denying.length > 0 ? shown : [],
    missing: missingKeys([...compiled.values()], request),
    allowedByBoundary:
      boundaryVerdict === undefined
        ? undefined
        : boundaryVerdict.deny === undefined && boundaryVerdict.allow !== undefined,
  };
}

/** Only statements that speak of the action and the resource need their keys. */
function missingKeys(policies: readonly CompiledPolicy[], request: PolicyRequest): readonly string[] {
  const missing = new Set<string>();
  for (const { statements } of policies)
    for (const statement of statements) {
      if (!statement.concernsAction(request.action)) continue;
      if (!statement.concernsResource(request.resource, request.keys)) continue;
      for (const { key } of statement.conditions ?? [])
        if (request.keys(key.toLowerCase()) === undefined) missing.add(key);
    }
  return [...missing];
}
