import type * as client from "@aws-sdk/client-iam";
import type { SimulateCustomPolicyRequest, SimulatePrincipalPolicyRequest } from "@aws-sdk/client-iam";
import { parseArn } from "#core/arn";
import { keysOf } from "#policy/conditions";
import { CURRENT_VERSION, listOf } from "#policy/document";
import { variablesOf } from "#policy/glob";
import { parsePolicy, PolicyProblem, type PolicyUse } from "#policy/grammar";
import type { Requester } from "#policy/requester";
import type { CallContext, Handler, OperationsOf } from "#wire/operation";
import type { IamDeps } from "../deps.ts";
import { iamErrors } from "../errors.ts";
import { heldPolicies, managedPolicyText, nameOfPolicy } from "../held-policies.ts";
import { statementSpans } from "../positions.ts";
import { simulate, type Simulated, type SimulatedPolicy, type Simulation } from "../simulation.ts";
import type { GroupDocument, HolderKind, RoleDocument, UserDocument } from "../store.ts";
import { holderOfArn, paginate, requireHolder } from "../store.ts";

type Iam = typeof client;
type Common = SimulateCustomPolicyRequest | SimulatePrincipalPolicyRequest;

/** What policies would decide, by the same engine that decides. */
export function simulationOperations({ documents }: IamDeps) {
  const SimulateCustomPolicy: Handler<Iam, "SimulateCustomPolicy"> = (input, call) => {
    const identity = (input.PolicyInputList ?? []).map((text, index) =>
      parsed(`PolicyInputList.${index + 1}`, text, "identity"),
    );
    return run(input, call, identity, input.CallerArn ?? `arn:aws:iam::${call.account}:user/simulated`, []);
  };

  const SimulatePrincipalPolicy: Handler<Iam, "SimulatePrincipalPolicy"> = (input, call) => {
    const { kind, name } = sourceOf(input.PolicySourceArn);
    const holder = requireHolder(documents, kind, call.account, name).value;
    const more = (input.PolicyInputList ?? []).map((text, index) =>
      parsed(`PolicyInputList.${index + 1}`, text, "identity"),
    );
    const boundary = boundaryOf(call.account, holder);
    return run(
      input,
      call,
      [...policiesOf(call.account, kind, name), ...more],
      input.CallerArn ?? input.PolicySourceArn ?? "",
      boundary === undefined ? [] : [boundary],
    );
  };

  const GetContextKeysForCustomPolicy: Handler<Iam, "GetContextKeysForCustomPolicy"> = (input) => ({
    ContextKeyNames: contextKeys((input.PolicyInputList ?? []).map((text) => parsed("", text, "identity"))),
  });

  const GetContextKeysForPrincipalPolicy: Handler<Iam, "GetContextKeysForPrincipalPolicy"> = (
    input,
    call,
  ) => {
    const { kind, name } = sourceOf(input.PolicySourceArn);
    requireHolder(documents, kind, call.account, name);
    const more = (input.PolicyInputList ?? []).map((text) => parsed("", text, "identity"));
    return { ContextKeyNames: contextKeys([...policiesOf(call.account, kind, name), ...more]) };
  };

  function run(
    input: Common,
    call: CallContext,
    identity: readonly SimulatedPolicy[],
    callerArn: string,
    own: readonly SimulatedPolicy[],
  ) {
    const given = input.PermissionsBoundaryPolicyInputList;
    const boundaries =
      given === undefined
        ? own
        : given.map((text, index) =>
            parsed(`PermissionsBoundaryPolicyInputList.${index + 1}`, text, "identity"),
          );
    const simulation: Simulation = {
      requester: requesterOf(callerArn),
      identity,
      boundaries,
      resourcePolicy:
        input.ResourcePolicy === undefined
          ? undefined
          : parsed("ResourcePolicy", input.ResourcePolicy, "resource"),
      owner: parseArn(input.ResourceOwner ?? "")?.account ?? input.ResourceOwner ?? call.account,
      context: Object.fromEntries(
        (input.ContextEntries ?? []).map(({ ContextKeyName = "", ContextKeyValues = [] }) => [
          ContextKeyName.toLowerCase(),
          ContextKeyValues,
        ]),
      ),
    };
    const resources = input.ResourceArns ?? ["*"];
    const { items, paging } = paginate(
      input,
      (input.ActionNames ?? []).map((action, index) => ({ action, order: String(index).padStart(6, "0") })),
      ({ order }) => order,
    );
    return {
      EvaluationResults: items.map(({ action }) => evaluation(simulation, action, resources)),
      ...paging,
    };
  }

  function policiesOf(account: string, kind: HolderKind, name: string): SimulatedPolicy[] {
    return Array.from(heldPolicies(documents, account, kind, name), (policy) => {
      const { holder } = policy;
      const inlineId = `${holder.kind}_${holder.name}_${policy.name}`;
      return parsed(policy.arn === undefined ? inlineId : policy.name, policy.text, "identity");
    });
  }

  function boundaryOf(account: string, holder: RoleDocument | UserDocument | GroupDocument) {
    const arn = "permissionsBoundary" in holder ? holder.permissionsBoundary : undefined;
    const text = arn === undefined ? undefined : managedPolicyText(documents, account, arn);
    return arn === undefined || text === undefined ? undefined : parsed(nameOfPolicy(arn), text, "identity");
  }

  return {
    SimulateCustomPolicy,
    SimulatePrincipalPolicy,
    GetContextKeysForCustomPolicy,
    GetContextKeysForPrincipalPolicy,
  } satisfies OperationsOf<Iam>;
}

/** One action on all resources that were named (shape as recorded: test_simulate_principle_policy). */
function evaluation(simulation: Simulation, action: string, resources: readonly string[]) {
  const results = resources.map((resource) => ({ resource, result: simulate(simulation, action, resource) }));
  const worst =
    results.find(({ result }) => result.decision === "explicitDeny") ??
    results.find(({ result }) => result.decision === "implicitDeny") ??
    results[0];
  if (worst === undefined) throw iamErrors.malformed("A simulation needs a resource.");
  const { result } = worst;
  return {
    EvalActionName: action,
    EvalResourceName: resources.length === 1 ? worst.resource : "*",
    EvalDecision: result.decision,
    EvalDecisionDetails: {},
    MatchedStatements: matchedStatements(result),
    MissingContextValues: [...result.missing],
    OrganizationsDecisionDetail: { AllowedByOrganizations: true },
    ...boundaryDetail(result),
    ...(resources.length === 1 && resources[0] === "*"
      ? {}
      : {
          ResourceSpecificResults: results.map((each) => ({
            EvalResourceName: each.resource,
            EvalResourceDecision: each.result.decision,
            MatchedStatements: matchedStatements(each.result),
            MissingContextValues: [...each.result.missing],
            ...boundaryDetail(each.result),
          })),
        }),
  };
}

function boundaryDetail({ allowedByBoundary }: Simulated) {
  return allowedByBoundary === undefined
    ? {}
    : { PermissionsBoundaryDecisionDetail: { AllowedByPermissionsBoundary: allowedByBoundary } };
}

function matchedStatements({ matched }: Simulated) {
  return matched.map(({ policy, statement }) => ({
    SourcePolicyId: policy.id,
    // Recorded; the model lists other values.
    SourcePolicyType: policy.type as string as "user",
    ...statementSpans(policy.text)[statement.index],
  }));
}

function contextKeys(policies: readonly SimulatedPolicy[]): string[] {
  const names = policies.flatMap(({ document }) => {
    const variables = document.Version === CURRENT_VERSION;
    return listOf(document.Statement).flatMap(({ Condition, Resource, NotResource }) => [
      ...keysOf(Condition, variables),
      ...(variables ? [...listOf(Resource), ...listOf(NotResource)].flatMap(variablesOf) : []),
    ]);
  });
  // Their case does not matter; they are told as they are written.
  return [...new Map(names.map((name) => [name.toLowerCase(), name])).values()].sort();
}

function parsed(id: string, text: string, use: PolicyUse): SimulatedPolicy {
  try {
    const type = use === "resource" ? "Resource Policy" : "IAM Policy";
    return { id, type, text, document: parsePolicy(text, use) };
  } catch (error) {
    throw error instanceof PolicyProblem ? iamErrors.invalidPolicy(error.message) : error;
  }
}

/** @throws AwsError InvalidInput */
function sourceOf(arn = "") {
  const holder = holderOfArn(arn);
  if (holder === undefined) throw iamErrors.invalidEntityArn(arn);
  return holder;
}

function requesterOf(arn: string): Requester {
  const parsed = parseArn(arn);
  const account = parsed?.account ?? "";
  if (parsed?.resource === "root") return { kind: "root", account, arn };
  if (parsed?.resource.startsWith("role/") === true) return { kind: "role", account, arn, roleArn: arn };
  return { kind: "user", account, arn };
}
