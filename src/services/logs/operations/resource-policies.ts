import type * as client from "@aws-sdk/client-cloudwatch-logs";
import type { Handler, OperationsOf } from "#wire/operation";
import { revise } from "../../revise.ts";
import type { LogsDeps } from "../deps.ts";
import { logsErrors } from "../errors.ts";
import { LIMITS } from "../limits.ts";
import {
  policyKeys,
  requirePolicy,
  type PolicyIndex,
  type ResourcePolicyDocument,
} from "../resource-policies.ts";
import { readPageToken, writePageToken } from "../tokens.ts";

type Logs = typeof client;

/** Policies of an account, by which it lets services write to its log groups. */
export function resourcePolicyOperations({ documents, clock }: LogsDeps) {
  const PutResourcePolicy: Handler<Logs, "PutResourcePolicy"> = async (input, call) => {
    refuseScope(input);
    const { policyName: name = "", policyDocument: text = "" } = input;
    if (name === "" || text === "") throw logsErrors.policyParts();
    requirePolicy(text);
    const value: ResourcePolicyDocument = { name, text, updated: clock.now() };
    const index = policyKeys.index(call);
    await revise<PolicyIndex>(documents, index, (current) => {
      const others = (current?.value.names ?? []).filter((other) => other !== name);
      if (others.length >= LIMITS.resourcePolicies) throw logsErrors.limit();
      return [
        { key: index, value: { names: [...others, name].toSorted() } },
        { key: policyKeys.one(call, name), value },
      ];
    });
    return { resourcePolicy: describe(value) };
  };

  const DeleteResourcePolicy: Handler<Logs, "DeleteResourcePolicy"> = async (input, call) => {
    refuseScope(input);
    const { policyName: name = "" } = input;
    const index = policyKeys.index(call);
    await revise<PolicyIndex>(documents, index, (current) => {
      if (current?.value.names.includes(name) !== true) throw logsErrors.policyMissing(name);
      return [
        { key: index, value: { names: current.value.names.filter((other) => other !== name) } },
        { key: policyKeys.one(call, name), delete: true },
      ];
    });
    return {};
  };

  const DescribeResourcePolicies: Handler<Logs, "DescribeResourcePolicies"> = (input, call) => {
    const { limit = LIMITS.describePage, nextToken, resourceArn, policyScope } = input;
    if (resourceArn !== undefined) throw logsErrors.notAvailable("resourceArn");
    if (policyScope === "RESOURCE") return { resourcePolicies: [] };
    const after = nextToken === undefined ? "" : readPageToken(nextToken, ["string"] as const)[0];
    const names = documents.get<PolicyIndex>(policyKeys.index(call))?.value.names ?? [];
    const left = names.filter((name) => name > after);
    const shown = left.slice(0, limit);
    return {
      resourcePolicies: shown.flatMap((name) => {
        const found = documents.get<ResourcePolicyDocument>(policyKeys.one(call, name));
        return found === undefined ? [] : [describe(found.value)];
      }),
      ...(left.length > limit ? { nextToken: writePageToken([shown.at(-1) ?? ""]) } : {}),
    };
  };

  return {
    PutResourcePolicy,
    DeleteResourcePolicy,
    DescribeResourcePolicies,
  } satisfies OperationsOf<Logs>;
}

/** Policies of one log group are not built. */
function refuseScope(input: {
  readonly resourceArn?: string | undefined;
  readonly expectedRevisionId?: string | undefined;
}): void {
  if (input.resourceArn !== undefined) throw logsErrors.notAvailable("resourceArn");
  if (input.expectedRevisionId !== undefined) throw logsErrors.notAvailable("expectedRevisionId");
}

/** As recorded (test_describe_resource_policies). */
function describe({ name, text, updated }: ResourcePolicyDocument): client.ResourcePolicy {
  return { policyName: name, policyDocument: text, lastUpdatedTime: updated, policyScope: "ACCOUNT" };
}
