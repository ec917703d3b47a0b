import type { AddPermissionRequest } from "@aws-sdk/client-lambda";
import type { Document } from "#storage/documents";
import type { OperationsOf } from "#wire/operation";
import type { LambdaClientModule, LambdaContext } from "../context.ts";
import { errors } from "../errors.ts";
import { LIMITS } from "../limits.ts";
import { functionArn, parseFunctionName, type FunctionName } from "../names.ts";
import {
  parsePolicyDocument,
  type PolicyCondition,
  type PolicyDocument,
  type PolicyStatement,
} from "../policy-document.ts";
import { findQualified, requireQualified } from "../qualified.ts";
import { keys, unchanged } from "../store.ts";

/**
 * Who else may use a function, a version or an alias. Its policy's revision id is that of the function, version or
 * alias itself: each change of a policy gives it a new one (recorded: permission_revisions).
 */
export function policyOperations(context: LambdaContext) {
  const { store, ids } = context;

  return {
    async AddPermission(input, call) {
      const name = parseFunctionName(call, "AddPermission", input.FunctionName, input.Qualifier);
      if (name.qualifier === "$LATEST") throw errors.policyOnLatest();
      requireConsistent(input);
      const statement = statementOf(input, functionArn(name, name.name, name.qualifier));
      await change(name, input.RevisionId, errors.policyRevisionMismatch, (policy) => {
        const statements = policy?.Statement ?? [];
        if (statements.some(({ Sid }) => Sid === statement.Sid))
          throw errors.statementExists(statement.Sid ?? "");
        const { Version, Id } = policy ?? { Version: "2012-10-17", Id: "default" };
        return {
          Version,
          ...(Id === undefined ? {} : { Id }),
          Statement: [...statements, statement],
        };
      });
      return { Statement: JSON.stringify(statement) };
    },

    async RemovePermission(input, call) {
      const name = parseFunctionName(call, "RemovePermission", input.FunctionName, input.Qualifier);
      await change(name, input.RevisionId, errors.revisionMismatch, (policy) => {
        if (policy === undefined) throw errors.noPolicy();
        const Statement = policy.Statement.filter(({ Sid }) => Sid !== input.StatementId);
        if (Statement.length === policy.Statement.length)
          throw errors.statementNotFound(input.StatementId ?? "");
        return Statement.length === 0 ? undefined : { ...policy, Statement };
      });
      return {};
    },

    GetPolicy(input, call) {
      return read(parseFunctionName(call, "GetPolicy", input.FunctionName, input.Qualifier));
    },

    async PutResourcePolicy(input, call) {
      const name = parseFunctionName(call, "PutResourcePolicy", input.ResourceArn);
      const document = parsePolicyDocument(input.Policy ?? "");
      requireResource(document, functionArn(name, name.name, name.qualifier));
      await change(name, input.RevisionId, errors.policyRevisionMismatch, () => document);
      return read(name);
    },

    GetResourcePolicy(input, call) {
      return read(parseFunctionName(call, "GetResourcePolicy", input.ResourceArn));
    },

    async DeleteResourcePolicy(input, call) {
      const name = parseFunctionName(call, "DeleteResourcePolicy", input.ResourceArn);
      await change(name, input.RevisionId, errors.policyRevisionMismatch, (policy) => {
        if (policy === undefined) throw errors.resourceMissing();
        return undefined;
      });
      return {};
    },
  } satisfies OperationsOf<LambdaClientModule>;

  function policyOf(name: FunctionName): Document<PolicyDocument> | undefined {
    return store.documents.get<PolicyDocument>(keys.policy(name, name.name, name.qualifier ?? "$LATEST"));
  }

  function read(name: FunctionName): { Policy: string; RevisionId: string } {
    store.requireFunction(name, name.name, name.qualifier);
    const policy = policyOf(name)?.value;
    const subject = findQualified(store, name, name.name, name.qualifier)?.value;
    if (policy === undefined || subject === undefined) throw errors.resourceMissing();
    return { Policy: JSON.stringify(policy), RevisionId: subject.revisionId };
  }

  function change(
    name: FunctionName,
    revisionId: string | undefined,
    mismatch: () => Error,
    next: (policy: PolicyDocument | undefined) => PolicyDocument | undefined,
  ): Promise<void> {
    store.requireFunction(name, name.name, name.qualifier);
    return store.updateFunction(name, (found) => {
      const subject = requireQualified(store, name);
      if (revisionId !== undefined && revisionId !== subject.value.revisionId) throw mismatch();
      const before = policyOf(name);
      const value = next(before?.value);
      const bytes = value === undefined ? 0 : Buffer.byteLength(JSON.stringify(value));
      if (bytes > LIMITS.policyBytes) throw errors.policyTooLong(bytes, LIMITS.policyBytes);
      const key = keys.policy(name, name.name, name.qualifier ?? "$LATEST");
      const expected = before?.revision ?? 0;
      const revised = { ...subject.value, revisionId: ids.uuid() };
      const isFunction = name.qualifier === undefined || name.qualifier === "$LATEST";
      return {
        changes: [
          ...(isFunction ? [] : [unchanged(found)]),
          { key: subject.key, value: revised, expected: subject.revision },
          value === undefined ? { key, delete: true, expected } : { key, value, expected },
        ],
        result: undefined,
      };
    });
  }
}

function statementOf(input: AddPermissionRequest, Resource: string): PolicyStatement {
  const condition = conditionOf(input);
  return {
    Sid: input.StatementId ?? "",
    Effect: "Allow",
    Principal: principalOf(input.Principal ?? ""),
    Action: input.Action ?? "",
    Resource,
    ...(Object.keys(condition).length === 0 ? {} : { Condition: condition }),
  };
}

/** Operators and the spelling of keys as recorded: add_lambda_permission_fields. */
function conditionOf(input: AddPermissionRequest): PolicyCondition {
  const equal: Record<string, string> = {};
  if (input.SourceAccount !== undefined) equal["AWS:SourceAccount"] = input.SourceAccount;
  if (input.EventSourceToken !== undefined) equal["lambda:EventSourceToken"] = input.EventSourceToken;
  if (input.PrincipalOrgID !== undefined) equal["aws:PrincipalOrgID"] = input.PrincipalOrgID;
  if (input.FunctionUrlAuthType !== undefined)
    equal["lambda:FunctionUrlAuthType"] = input.FunctionUrlAuthType;
  return {
    ...(Object.keys(equal).length === 0 ? {} : { StringEquals: equal }),
    // Developer guide, "Control access to Lambda function URLs": the condition that InvokedViaFunctionUrl writes.
    ...(input.InvokedViaFunctionUrl === undefined
      ? {}
      : { Bool: { "lambda:InvokedViaFunctionUrl": String(input.InvokedViaFunctionUrl) } }),
    ...(input.SourceArn === undefined ? {} : { ArnLike: { "AWS:SourceArn": input.SourceArn } }),
  };
}

/** A service, an account (which stands for its root), or the ARN of a user, a role or a session. */
function principalOf(principal: string): "*" | Readonly<Record<string, string>> {
  if (principal === "*") return "*";
  if (/^\d{12}$/.test(principal)) return { AWS: `arn:aws:iam::${principal}:root` };
  if (
    /^arn:aws[a-z-]*:(iam|sts)::\d{12}:(root$|user\/|role\/|assumed-role\/|federated-user\/)/.test(principal)
  )
    return { AWS: principal };
  if (/^[a-z0-9-]+(\.[a-z0-9-]+)*\.(amazonaws\.com(\.cn)?|amazon\.com|api\.aws)$/.test(principal))
    return { Service: principal };
  throw errors.invalidPrincipal();
}

function requireConsistent(input: AddPermissionRequest): void {
  if (input.FunctionUrlAuthType !== undefined && input.Action !== "lambda:InvokeFunctionUrl")
    throw errors.urlAuthTypeOnOtherAction();
  if (input.InvokedViaFunctionUrl !== undefined && input.Action !== "lambda:InvokeFunction")
    throw errors.conditionOnOtherAction();
}

/** A policy speaks of the function, version or alias that it is attached to, and of nothing else. */
function requireResource({ Statement }: PolicyDocument, arn: string): void {
  for (const { Resource } of Statement) {
    const resources = typeof Resource === "string" ? [Resource] : (Resource ?? []);
    if (resources.length === 0 || resources.some((resource) => resource !== arn))
      throw errors.malformedPolicy(`its Resource must be ${arn}`);
  }
}
