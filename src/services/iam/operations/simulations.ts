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
import { findManagedPolicy, managedPolicyDocument } from "../managed-policies.ts";
import { statementSpans } from "../positions.ts";
import { simulate, type Simulated, type SimulatedPolicy, type Simulation } from "../simulation.ts";
import type {
  AttachmentDocument,
  GroupDocument,
  HolderKind,
  InlinePolicyDocument,
  PolicyDocument,
  PolicyVersionDocument,
  RoleDocument,
  UserDocument,
} from "../store.ts";
import { keys, paginate, requireHolder, valuesUnder } from "../store.ts";

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
    const inline = Array.from(
      valuesUnder<InlinePolicyDocument>(documents, keys.inline(account, kind, name)),
      (policy) => parsed(`${kind}_${name}_${policy.name}`, policy.document, "identity"),
    );
    const managed = Array.from(
      valuesUnder<AttachmentDocument>(documents, keys.attached(account, kind, name)),
      ({ policyArn }) => managedPolicy(account, policyArn),
    ).filter((policy) => policy !== undefined);
    const groups =
      kind === "user"
        ? Array.from(documents.list(keys.memberships(account, name)), ({ key }) =>
            policiesOf(account, "group", String(key.at(-1))),
          )
        : [];
    return [...inline, ...managed, ...groups.flat()];
  }

  function managedPolicy(account: string, arn: string): SimulatedPolicy | undefined {
    const name = arn.slice(arn.lastIndexOf("/") + 1);
    const aws = findManagedPolicy(arn);
    if (aws !== undefined) return parsed(name, managedPolicyDocument(aws), "identity");
    const policy = documents.get<PolicyDocument>(keys.policy(account, name))?.value;
    if (policy === undefined) return undefined;
    const key = [...keys.versions(account, policy.name), policy.defaultVersion] as const;
    const version = documents.get<PolicyVersionDocument>(key)?.value;
    return version === undefined ? undefined : parsed(name, version.document, "identity");
  }

  function boundaryOf(account: string, holder: RoleDocument | UserDocument | GroupDocument) {
    const arn = "permissionsBoundary" in holder ? holder.permissionsBoundary : undefined;
    return arn === undefined ? undefined : managedPolicy(account, arn);
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
  return [...new Set(names)].sort();
}

function parsed(id: string, text: string, use: PolicyUse): SimulatedPolicy {
  try {
    const type = use === "resource" ? "Resource Policy" : "IAM Policy";
    return { id, type, text, document: parsePolicy(text, use) };
  } catch (error) {
    throw error instanceof PolicyProblem ? iamErrors.invalidPolicy(error.message) : error;
  }
}

function sourceOf(arn = ""): { kind: HolderKind; name: string } {
  const parts = parseArn(arn)?.resource.split("/") ?? [];
  const [kind, name] = [parts[0], parts.at(-1)];
  if (name === undefined || (kind !== "role" && kind !== "user" && kind !== "group"))
    throw iamErrors.invalidEntityArn(arn);
  return { kind, name };
}

function requesterOf(arn: string): Requester {
  const parsed = parseArn(arn);
  const account = parsed?.account ?? "";
  if (parsed?.resource === "root") return { kind: "root", account, arn };
  if (parsed?.resource.startsWith("role/") === true) return { kind: "role", account, arn, roleArn: arn };
  return { kind: "user", account, arn };
}
