import type * as client from "@aws-sdk/client-cloudwatch-logs";
import type { CallContext, Handler, OperationsOf } from "#wire/operation";
import { revise } from "../../revise.ts";
import type { LogsDeps } from "../deps.ts";
import { logsErrors } from "../errors.ts";
import { LIMITS } from "../limits.ts";
import {
  type GroupPolicyDocument,
  normalisedPolicy,
  policyKeys,
  requirePolicy,
  type PolicyIndex,
  type ResourcePolicyDocument,
} from "../resource-policies.ts";
import { groupArn, groupOfIdentifier, requireGroup, type Scope } from "../store.ts";
import { readPageToken, writePageToken } from "../tokens.ts";

type Logs = typeof client;

/** Policies by which an account lets services write to all of its log groups, or to a single one. */
export function resourcePolicyOperations({ documents, clock, ids }: LogsDeps) {
  const PutResourcePolicy: Handler<Logs, "PutResourcePolicy"> = async (input, call) => {
    const { policyName: name, policyDocument = "", resourceArn, expectedRevisionId } = input;
    if (policyDocument === "") throw logsErrors.policyParts();
    const put = { text: normalisedPolicy(requirePolicy(policyDocument)), updated: clock.now() };
    if (scopeOf(input) === "RESOURCE") {
      const value = await putOfGroup(call, requireGroupOf(call, resourceArn), put, expectedRevisionId);
      return { resourcePolicy: describeOfGroup(call, value), revisionId: value.revisionId };
    }
    return { resourcePolicy: describe(await putOfAccount(call, { name: name ?? "", ...put })) };
  };

  async function putOfAccount(call: CallContext, value: ResourcePolicyDocument) {
    const { name } = value;
    const index = policyKeys.index(call);
    await revise<PolicyIndex>(documents, index, (current) => {
      const others = (current?.value.names ?? []).filter((other) => other !== name);
      if (others.length >= LIMITS.resourcePolicies) throw logsErrors.limit();
      return [
        { key: index, value: { names: [...others, name].toSorted() } },
        { key: policyKeys.one(call, name), value },
      ];
    });
    return value;
  }

  async function putOfGroup(
    call: CallContext,
    group: string,
    put: Pick<GroupPolicyDocument, "text" | "updated">,
    expected: string | undefined,
  ) {
    const value: GroupPolicyDocument = { group, ...put, revisionId: ids.uuid() };
    const key = policyKeys.ofGroup(call, group);
    await revise<GroupPolicyDocument>(documents, key, (current) => {
      if (current?.value.revisionId !== expected) throw logsErrors.policyChanged();
      const found = requireGroup(documents, call, group);
      return [
        { key, value },
        // A group that goes meanwhile takes its policy along.
        { key: found.key, check: true, expected: found.revision },
      ];
    });
    return value;
  }

  const DeleteResourcePolicy: Handler<Logs, "DeleteResourcePolicy"> = async (input, call) => {
    if (scopeOf(input) === "RESOURCE") await deleteOfGroup(call, input);
    else await deleteOfAccount(call, input.policyName ?? "");
    return {};
  };

  async function deleteOfAccount(call: CallContext, name: string): Promise<void> {
    const index = policyKeys.index(call);
    await revise<PolicyIndex>(documents, index, (current) => {
      if (current?.value.names.includes(name) !== true) throw logsErrors.policyMissing(name);
      return [
        { key: index, value: { names: current.value.names.filter((other) => other !== name) } },
        { key: policyKeys.one(call, name), delete: true },
      ];
    });
  }

  async function deleteOfGroup(
    call: CallContext,
    { resourceArn, expectedRevisionId }: client.DeleteResourcePolicyRequest,
  ): Promise<void> {
    const group = groupOfArn(call, resourceArn);
    if (expectedRevisionId === undefined) throw logsErrors.revisionRequired();
    const key = policyKeys.ofGroup(call, group);
    await revise<GroupPolicyDocument>(documents, key, (current) => {
      if (current === undefined) throw logsErrors.resourceMissing();
      if (current.value.revisionId !== expectedRevisionId) throw logsErrors.policyChanged();
      return [{ key, delete: true }];
    });
  }

  const DescribeResourcePolicies: Handler<Logs, "DescribeResourcePolicies"> = (input, call) => {
    const { limit = LIMITS.describePage, nextToken, resourceArn } = input;
    const { policyScope = resourceArn === undefined ? "ACCOUNT" : "RESOURCE" } = input;
    if (resourceArn !== undefined && policyScope !== "RESOURCE") throw logsErrors.policyScope();
    const after = nextToken === undefined ? "" : readPageToken(nextToken, ["string"] as const)[0];
    const { shown, more } =
      policyScope === "ACCOUNT"
        ? ofAccount(call, after, limit)
        : ofGroups(call, after, limit, resourceArn === undefined ? undefined : groupOfArn(call, resourceArn));
    return {
      resourcePolicies: shown.map(({ policy }) => policy),
      ...(more ? { nextToken: writePageToken([shown.at(-1)?.place ?? ""]) } : {}),
    };
  };

  function ofAccount(scope: Scope, after: string, limit: number): Page {
    const names = documents.get<PolicyIndex>(policyKeys.index(scope))?.value.names ?? [];
    const left = names.filter((name) => name > after);
    const shown = left.slice(0, limit).flatMap((name) => {
      const found = documents.get<ResourcePolicyDocument>(policyKeys.one(scope, name));
      return found === undefined ? [] : [{ place: name, policy: describe(found.value) }];
    });
    return { shown, more: left.length > limit };
  }

  function ofGroups(scope: Scope, after: string, limit: number, group: string | undefined): Page {
    const found =
      group === undefined
        ? Array.from(
            documents.list<GroupPolicyDocument>(policyKeys.groups(scope), {
              limit: limit + 1,
              ...(after === "" ? {} : { after: policyKeys.ofGroup(scope, after) }),
            }),
          )
        : [documents.get<GroupPolicyDocument>(policyKeys.ofGroup(scope, group)) ?? []].flat();
    const shown = found.slice(0, limit).map(({ value }) => ({
      place: value.group,
      policy: describeOfGroup(scope, value),
    }));
    return { shown, more: found.length > limit };
  }

  function requireGroupOf(call: CallContext, resourceArn: string | undefined): string {
    const group = groupOfArn(call, resourceArn);
    requireGroup(documents, call, group);
    return group;
  }

  return {
    PutResourcePolicy,
    DeleteResourcePolicy,
    DescribeResourcePolicies,
  } satisfies OperationsOf<Logs>;
}

/** Policies with the places in their order. */
interface Page {
  readonly shown: readonly { readonly place: string; readonly policy: client.ResourcePolicy }[];
  readonly more: boolean;
}

/**
 * An account's policy has a name, a log group's has the group's ARN and revisions.
 * @throws AwsError InvalidParameterException where both or neither is said
 */
function scopeOf({
  policyName,
  resourceArn,
  expectedRevisionId,
}: client.DeleteResourcePolicyRequest): client.PolicyScope {
  if (resourceArn !== undefined) {
    if (policyName !== undefined) throw logsErrors.policyNameAndArn();
    return "RESOURCE";
  }
  if ((policyName ?? "") === "") throw logsErrors.policyParts();
  if (expectedRevisionId !== undefined) throw logsErrors.revisionWithoutArn();
  return "ACCOUNT";
}

/** @throws AwsError InvalidParameterException where it is no log group's, ResourceNotFoundException where it is elsewhere */
function groupOfArn(scope: Scope, resourceArn = ""): string {
  if (!/^arn:[^:]+:logs:[^:]*:[^:]*:log-group:/.test(resourceArn)) throw logsErrors.policyResource();
  return groupOfIdentifier(scope, resourceArn);
}

/** As recorded (test_describe_resource_policies). */
function describe({ name, text, updated }: ResourcePolicyDocument): client.ResourcePolicy {
  return { policyName: name, policyDocument: text, lastUpdatedTime: updated, policyScope: "ACCOUNT" };
}

function describeOfGroup(
  scope: Scope,
  { group, text, updated, revisionId }: GroupPolicyDocument,
): client.ResourcePolicy {
  return {
    policyDocument: text,
    lastUpdatedTime: updated,
    policyScope: "RESOURCE",
    resourceArn: groupArn(scope, group),
    revisionId,
  };
}
