import type { CallContext, OperationsOf } from "#wire/operation";
import type { Document } from "#storage/documents";
import type { LambdaClientModule, LambdaContext } from "../context.ts";
import { errors } from "../errors.ts";
import { layerArn, parseLayerName, type LayerVersionName } from "../layers.ts";
import type { LayerPolicy, LayerStatement, LayerVersionRecord } from "../records.ts";
import { commitDecision, keys } from "../store.ts";

/** Who else may use a layer's version. */
export function layerPolicyOperations(context: LambdaContext) {
  const { store, ids } = context;
  const { documents } = store;

  return {
    async AddLayerVersionPermission(input, call) {
      const name = versionOf(call, input);
      const Resource = layerArn(name, name.name, name.version);
      const statement: LayerStatement = {
        Sid: input.StatementId ?? "",
        Effect: "Allow",
        Principal: principalOf(input.Principal ?? "*"),
        Action: input.Action ?? "",
        Resource,
        ...(input.OrganizationId === undefined
          ? {}
          : { Condition: { StringEquals: { "aws:PrincipalOrgID": input.OrganizationId } } }),
      };
      const revisionId = await change(name, input.RevisionId, (statements) => {
        if (statements.some(({ Sid }) => Sid === statement.Sid)) throw errors.statementExists(statement.Sid);
        return [...statements, statement];
      });
      return { Statement: JSON.stringify(statement), RevisionId: revisionId };
    },

    async RemoveLayerVersionPermission(input, call) {
      await change(versionOf(call, input), input.RevisionId, (statements) => {
        const left = statements.filter(({ Sid }) => Sid !== input.StatementId);
        if (left.length === statements.length) throw errors.statementNotFound(input.StatementId ?? "");
        return left;
      });
      return {};
    },

    GetLayerVersionPolicy(input, call) {
      const { policy } = require(versionOf(call, input)).value;
      if (policy === undefined) throw errors.noPolicy();
      const document = { Version: "2012-10-17", Id: "default", Statement: policy.statements };
      return { Policy: JSON.stringify(document), RevisionId: policy.revisionId };
    },
  } satisfies OperationsOf<LambdaClientModule>;

  function versionOf(
    call: CallContext,
    input: { readonly LayerName?: string | undefined; readonly VersionNumber?: number | undefined },
  ): LayerVersionName {
    const name = { ...parseLayerName(call, input.LayerName), version: input.VersionNumber ?? 0 };
    if (name.account !== call.account)
      throw errors.layerForbidden(call.principal.arn, layerArn(name, name.name, name.version));
    return name;
  }

  function require(name: LayerVersionName): Document<LayerVersionRecord> {
    const found = documents.get<LayerVersionRecord>(keys.layerVersion(name, name.name, name.version));
    if (found === undefined) throw errors.layerVersionNotFound(layerArn(name, name.name, name.version));
    return found;
  }

  /** @returns the policy's new revision */
  function change(
    name: LayerVersionName,
    revisionId: string | undefined,
    next: (statements: readonly LayerStatement[]) => readonly LayerStatement[],
  ): Promise<string> {
    return commitDecision(documents, () => {
      const found = require(name);
      const { policy } = found.value;
      if (revisionId !== undefined && revisionId !== policy?.revisionId) throw errors.layerRevisionMismatch();
      const statements = next(policy?.statements ?? []);
      const changed: LayerPolicy = { revisionId: ids.uuid(), statements };
      const value: LayerVersionRecord = {
        ...found.value,
        policy: statements.length === 0 ? undefined : changed,
      };
      return {
        changes: [{ key: found.key, value, expected: found.revision }],
        result: changed.revisionId,
      };
    });
  }
}

/** An account's number stands for its root in a policy. */
function principalOf(principal: string): LayerStatement["Principal"] {
  if (principal === "*") return "*";
  return { AWS: /^\d{12}$/.test(principal) ? `arn:aws:iam::${principal}:root` : principal };
}
