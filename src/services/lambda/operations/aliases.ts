import type { AliasRoutingConfiguration } from "@aws-sdk/client-lambda";
import type { OperationsOf } from "#wire/operation";
import { qualifierAttachments } from "../attachments.ts";
import { pointsTo, withoutProvisioned } from "../concurrency.ts";
import { describeAlias } from "../configuration.ts";
import type { LambdaClientModule, LambdaContext } from "../context.ts";
import { errors } from "../errors.ts";
import { functionArn, parseUnqualifiedName, type FunctionName } from "../names.ts";
import { pageSize, readMarker, takePage, writeMarker } from "../pages.ts";
import type { AliasRecord } from "../records.ts";
import { keys, unchanged } from "../store.ts";

/** Aliases: names for one version, or for two that share the invocations. */
export function aliasOperations(context: LambdaContext) {
  const { store, ids, concurrency } = context;

  return {
    async CreateAlias(input, call) {
      const name = parseUnqualifiedName(call, "CreateAlias", input.FunctionName);
      const alias = input.Name ?? "";
      const created = await store.updateFunction(name, (found) => {
        if (store.alias(name, name.name, alias) !== undefined)
          throw errors.aliasExists(functionArn(name, name.name, alias));
        const version = input.FunctionVersion ?? "";
        requireVersion(name, version);
        const weight = weightOf(name, version, input.RoutingConfig);
        const record: AliasRecord = {
          functionName: name.name,
          name: alias,
          version,
          description: input.Description ?? "",
          revisionId: ids.uuid(),
          ...(weight === undefined ? {} : { weight }),
        };
        return {
          changes: [
            unchanged(found),
            { key: keys.alias(name, name.name, alias), value: record, expected: 0 },
          ],
          result: record,
        };
      });
      return describeAlias(name, created);
    },

    GetAlias(input, call) {
      const name = parseUnqualifiedName(call, "GetAlias", input.FunctionName);
      store.requireFunction(name, name.name);
      const alias = input.Name ?? "";
      const found = store.alias(name, name.name, alias);
      if (found === undefined) throw errors.cannotFindAlias(functionArn(name, name.name, alias));
      return describeAlias(name, found.value);
    },

    async UpdateAlias(input, call) {
      const name = parseUnqualifiedName(call, "UpdateAlias", input.FunctionName);
      const alias = input.Name ?? "";
      const updated = await store.updateFunction(name, (found) => {
        const before = store.alias(name, name.name, alias);
        if (before === undefined) throw errors.aliasNotFound(functionArn(name, name.name, alias));
        if (input.RevisionId !== undefined && input.RevisionId !== before.value.revisionId)
          throw errors.revisionMismatch();
        const version = input.FunctionVersion ?? before.value.version;
        requireVersion(name, version);
        const { weight: weightBefore, ...rest } = before.value;
        const weight =
          input.RoutingConfig === undefined ? weightBefore : weightOf(name, version, input.RoutingConfig);
        const record: AliasRecord = {
          ...rest,
          version,
          description: input.Description ?? rest.description,
          revisionId: ids.uuid(),
          ...(weight === undefined ? {} : { weight }),
        };
        requireUnprovisioned(name, record);
        return {
          changes: [unchanged(found), { key: before.key, value: record, expected: before.revision }],
          result: record,
        };
      });
      concurrency.apply(name, name.name);
      return describeAlias(name, updated);
    },

    async DeleteAlias(input, call) {
      const name = parseUnqualifiedName(call, "DeleteAlias", input.FunctionName);
      store.requireFunction(name, name.name);
      // An alias that is not there is deleted all the same (recorded: non_existent_alias_deletion).
      const alias = input.Name ?? "";
      await store.updateFunction(name, (found) => {
        // Its provisioned concurrency goes with it (recorded: get_provisioned_alias_postaliasdelete).
        const after = withoutProvisioned(concurrency.of(name, name.name), alias);
        const changes = [
          unchanged(found),
          { key: keys.alias(name, name.name, alias), delete: true as const },
          ...qualifierAttachments(name, name.name, alias),
          ...concurrency.change(name, name.name, after),
        ];
        return { changes, result: undefined };
      });
      concurrency.apply(name, name.name);
      return {};
    },

    ListAliases(input, call) {
      const name = parseUnqualifiedName(call, "ListAliases", input.FunctionName);
      store.requireFunction(name, name.name);
      const size = pageSize(input.MaxItems);
      const after = readMarker<[string]>(input.Marker, ["string"]);
      const { page, more } = takePage(aliasesOf(name, input.FunctionVersion, after?.[0]), size);
      const last = page.at(-1);
      return {
        Aliases: page.map((alias) => describeAlias(name, alias)),
        ...(more && last !== undefined ? { NextMarker: writeMarker([last.name]) } : {}),
      };
    },
  } satisfies OperationsOf<LambdaClientModule>;

  function* aliasesOf(name: FunctionName, version: string | undefined, after: string | undefined) {
    const options = after === undefined ? {} : { after: keys.alias(name, name.name, after) };
    for (const { value } of store.aliases(name, name.name, options)) {
      if (version === undefined || value.version === version || value.weight?.version === version)
        yield value;
    }
  }

  /** An alias with provisioned concurrency may go only to versions that have none of another configuration. */
  function requireUnprovisioned(name: FunctionName, alias: AliasRecord): void {
    const { provisioned } = concurrency.of(name, name.name);
    if (provisioned[alias.name] === undefined) return;
    const versions = [alias.version, ...(alias.weight === undefined ? [] : [alias.weight.version])];
    if (versions.includes("$LATEST")) throw errors.provisionedOnUnpublished();
    const others = [...store.aliases(name, name.name)]
      .map(({ value }) => value)
      .filter((other) => other.name !== alias.name && provisioned[other.name] !== undefined);
    for (const version of versions)
      if (provisioned[version] !== undefined || others.some((other) => pointsTo(other, version)))
        throw errors.versionAlreadyProvisioned();
  }

  function requireVersion(name: FunctionName, version: string): void {
    if (store.version(name, name.name, version) === undefined)
      throw errors.functionNotFound(functionArn(name, name.name, version));
  }

  function weightOf(
    name: FunctionName,
    version: string,
    routing: AliasRoutingConfiguration | undefined,
  ): AliasRecord["weight"] {
    const weights = Object.entries(routing?.AdditionalVersionWeights ?? {});
    if (weights.length > 1) throw errors.tooManyWeights();
    const [only] = weights;
    if (only === undefined) return undefined;
    const [other, share] = only;
    if (share < 0 || share > 1) throw errors.weightOutOfRange(other, share);
    if (other === version) throw errors.weightOnSameVersion(version);
    if (version === "$LATEST") throw errors.weightOnLatest();
    requireVersion(name, other);
    return { version: other, share };
  }
}
