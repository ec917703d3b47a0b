import type * as client from "@aws-sdk/client-xray";
import type { Ids } from "#core/ids";
import { parsePolicy, PolicyProblem } from "#policy/grammar";
import type { DocumentKey } from "#storage/documents";
import type { Handler, OperationsOf } from "#wire/operation";
import { revise } from "../../revise.ts";
import type { XRayDeps } from "../deps.ts";
import { xrayErrors } from "../errors.ts";
import { LIMITS } from "../limits.ts";
import type { Scope } from "../scope.ts";
import { pageOf } from "../tokens.ts";

type XRay = typeof client;

interface PolicyDocument {
  readonly name: string;
  readonly document: string;
  readonly revision: string;
  /** Epoch milliseconds. */
  readonly updated: number;
}

/** Policies by which services of AWS may write traces. Those that are here write theirs without being asked. */
export function policyOperations({ documents, clock }: XRayDeps, ids: Ids) {
  const policiesOf = (scope: Scope) =>
    Array.from(
      documents.list<PolicyDocument>([scope.account, scope.region, "xray-policy"]),
      ({ value }) => value,
    );

  const PutResourcePolicy: Handler<XRay, "PutResourcePolicy"> = async (input, call) => {
    const { PolicyName: name = "", PolicyDocument: document = "", PolicyRevisionId: expected } = input;
    if (Buffer.byteLength(document) > LIMITS.policyBytes) throw xrayErrors.policyTooLarge();
    checkPolicy(document);
    const key = policyKey(call, name);
    const value = { name, document, revision: ids.uuid(), updated: clock.now() };
    await revise<PolicyDocument>(documents, key, (current) => {
      // "0" asks for a policy that is not there yet.
      if (expected !== undefined && expected !== (current?.value.revision ?? "0"))
        throw xrayErrors.policyRevision();
      if (current === undefined && policiesOf(call).length >= LIMITS.policies)
        throw xrayErrors.tooManyPolicies();
      return [{ key, value }];
    });
    return { ResourcePolicy: describe(value) };
  };

  const ListResourcePolicies: Handler<XRay, "ListResourcePolicies"> = (input, call) => {
    const { page, next } = pageOf(policiesOf(call), input.NextToken, LIMITS.page);
    return { ResourcePolicies: page.map((policy) => describe(policy)), ...next };
  };

  const DeleteResourcePolicy: Handler<XRay, "DeleteResourcePolicy"> = async (input, call) => {
    const key = policyKey(call, input.PolicyName ?? "");
    const { PolicyRevisionId: expected } = input;
    await revise<PolicyDocument>(documents, key, (current) => {
      if (expected !== undefined && expected !== current?.value.revision) throw xrayErrors.policyRevision();
      return current === undefined ? [] : [{ key, delete: true }];
    });
    return {};
  };

  return {
    PutResourcePolicy,
    ListResourcePolicies,
    DeleteResourcePolicy,
  } satisfies OperationsOf<XRay>;
}

function policyKey({ account, region }: Scope, name: string): DocumentKey {
  return [account, region, "xray-policy", name];
}

/** @throws AwsError MalformedPolicyDocumentException */
function checkPolicy(text: string): void {
  try {
    parsePolicy(text, "resource");
  } catch (error) {
    if (error instanceof PolicyProblem) throw xrayErrors.malformedPolicy(error.message);
    throw error;
  }
}

function describe({ name, document, revision, updated }: PolicyDocument): client.ResourcePolicy {
  return {
    PolicyName: name,
    PolicyDocument: document,
    PolicyRevisionId: revision,
    LastUpdatedTime: new Date(updated),
  };
}
