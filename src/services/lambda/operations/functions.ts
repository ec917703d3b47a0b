import type { OperationsOf } from "#wire/operation";
import { functionAttachments, qualifierAttachments } from "../attachments.ts";
import { applyCodeSigning, attachChanges, requireCodeSigningConfig } from "../code-signing.ts";
import { withoutProvisioned } from "../concurrency.ts";
import { describeFunction, describeInList } from "../configuration.ts";
import type { LambdaClientModule, LambdaContext } from "../context.ts";
import { errors } from "../errors.ts";
import { imageLocation } from "../images.ts";
import { layersOf, requireRoomForLayers } from "../layers.ts";
import { DEFAULTS, LIMITS } from "../limits.ts";
import {
  functionArn,
  kindOfQualifier,
  parseFunctionName,
  parseUnqualifiedName,
  type FunctionName,
  type Scope,
} from "../names.ts";
import { pageSize, readMarker, takePage, writeMarker } from "../pages.ts";
import { CREATING, type FunctionRecord, type VersionRecord } from "../records.ts";
import { requireDeadLetters } from "../role-permissions.ts";
import { addTags, requireOwnRole, settingsOfNewFunction } from "../settings.ts";
import { keys, type FunctionDocument } from "../store.ts";
import { acceptCode, acceptImage } from "./code.ts";
import { publishChange } from "./publishing.ts";

/** Creating, reading, listing and deleting functions. */
export function functionOperations(context: LambdaContext) {
  const { store, concurrency, lifecycle, engine, clock, ids, links, assumable } = context;

  return {
    async CreateFunction(input, call) {
      const name = parseUnqualifiedName(call, "CreateFunction", input.FunctionName);
      if (name.name.length > LIMITS.functionNameLength)
        throw errors.nameTooLong(name.name, LIMITS.functionNameLength);
      requireOwnRole(call.account, input.Role);
      const configured = settingsOfNewFunction(input, name.name);
      const owner = { ...name, roleArn: configured.roleArn };
      requireDeadLetters(context.roleMay, owner, name.region, configured.deadLetterArn);
      const tags = addTags({}, input.Tags);
      requireAbsent(name);
      if (!assumable(input.Role ?? "", functionArn(name, name.name))) throw errors.roleNotAssumable();
      const layers = layersOf(context, call, input.Layers ?? []);
      // An empty ARN is none: Terraform sends it so.
      const signing = input.CodeSigningConfigArn || undefined;
      if (signing !== undefined) {
        if (input.PackageType === "Image") throw errors.codeSigningOnImage();
        applyCodeSigning(context, name, name.name, requireCodeSigningConfig(store, name, signing));
      }
      const architecture = input.Architectures?.[0] ?? DEFAULTS.architecture;
      const code =
        input.PackageType === "Image"
          ? await acceptImage(context, input.Code ?? {}, "CreateFunction", architecture)
          : await acceptCode(context, call, input.Code ?? {}, "CreateFunction");
      requireRoomForLayers({ code, layers });
      await lifecycle.registerScope(name);

      const created: FunctionRecord = {
        name: name.name,
        version: "$LATEST",
        revisionId: ids.uuid(),
        settings: {
          ...configured,
          specId: ids.uuid(),
          code,
          layers,
          architecture,
        },
        lastModified: clock.now(),
        state: { name: "Pending", ...CREATING },
        update: undefined,
        tags,
        lastVersion: 0,
      };
      await store.updateAbsent(name, () => {
        const published = input.Publish === true ? publishChange(context, name, created) : undefined;
        return {
          result: undefined,
          changes: [
            { key: keys.function(name, name.name), value: published?.latest ?? created, expected: 0 },
            { key: keys.unsettled(name, name.name, "$LATEST"), value: true },
            ...(published?.changes ?? []),
            ...(signing === undefined
              ? []
              : attachChanges(name, name.name, requireCodeSigningConfig(store, name, signing))),
          ],
        };
      });
      lifecycle.settleLater(name, name.name, "$LATEST");
      if (input.Publish !== true) return describeFunction(name, created, undefined);
      lifecycle.settleLater(name, name.name, "1");
      // Recorded: the answer to a create that publishes shows version 1 under the unqualified ARN.
      return describeFunction(name, { ...created, version: "1" }, undefined);
    },

    GetFunction(input, call) {
      const name = parseFunctionName(call, "GetFunction", input.FunctionName, input.Qualifier);
      const { record, tags } = find(name);
      const { reserved } = concurrency.of(name, name.name);
      return {
        Configuration: describeFunction(name, record, name.qualifier),
        Code: imageLocation(record.settings.code) ?? {
          RepositoryType: "S3",
          Location: links.url(call.baseUrl, record.settings.code.blob),
        },
        ...(Object.keys(tags).length === 0 ? {} : { Tags: tags }),
        ...(reserved === undefined ? {} : { Concurrency: { ReservedConcurrentExecutions: reserved } }),
      };
    },

    GetFunctionConfiguration(input, call) {
      const name = parseFunctionName(call, "GetFunctionConfiguration", input.FunctionName, input.Qualifier);
      return describeFunction(name, find(name).record, name.qualifier);
    },

    ListFunctions(input, call) {
      const size = pageSize(input.MaxItems);
      if (input.FunctionVersion === "ALL") return listWithVersions(call, input.Marker, size);
      const after = readMarker<[string]>(input.Marker, ["string"]);
      const { page, more } = takePage(
        store.functions(call, {
          limit: size + 1,
          ...(after === undefined ? {} : { after: keys.function(call, after[0]) }),
        }),
        size,
      );
      const last = page.at(-1);
      return {
        Functions: page.map(({ value }) => describeInList(call, value, undefined)),
        ...(more && last !== undefined ? { NextMarker: writeMarker([last.value.name]) } : {}),
      };
    },

    async DeleteFunction(input, call) {
      const name = parseFunctionName(call, "DeleteFunction", input.FunctionName, input.Qualifier);
      const retired = await deleteFunction(name);
      concurrency.apply(name, name.name);
      for (const specId of retired) engine.retire(specId);
      if (name.qualifier === undefined) context.onDeleted(functionArn(name, name.name));
      return { StatusCode: 204 };
    },
  } satisfies OperationsOf<LambdaClientModule>;

  function requireAbsent(name: FunctionName): void {
    if (store.function(name, name.name) !== undefined) throw errors.functionExists(name.name);
  }

  function find(name: FunctionName): {
    readonly record: VersionRecord;
    readonly tags: Readonly<Record<string, string>>;
  } {
    const { qualifier } = name;
    const latest = store.requireFunction(name, name.name, qualifier).value;
    if (qualifier === undefined) return { record: latest, tags: latest.tags };
    const kind = kindOfQualifier(qualifier);
    const version = kind === "alias" ? store.alias(name, name.name, qualifier)?.value.version : qualifier;
    const record =
      version === undefined || kind === "none" ? undefined : store.version(name, name.name, version)?.value;
    if (record === undefined) throw errors.functionNotFound(functionArn(name, name.name, qualifier));
    return { record, tags: latest.tags };
  }

  /** Every version of every function, `$LATEST` first (recorded for ListVersionsByFunction). */
  function listWithVersions(scope: Scope, marker: string | undefined, size: number) {
    const after = readMarker<[string, number]>(marker, ["string", "number"]);
    const { page, more } = takePage(versionsFrom(scope, after, size + 1), size);
    const last = page.at(-1);
    const position = last === undefined ? undefined : [last.name, Number(last.version) || 0];
    return {
      Functions: page.map((record) => describeInList(scope, record, record.version)),
      ...(more && position !== undefined ? { NextMarker: writeMarker(position) } : {}),
    };
  }

  /** At least `limit` of them, where there are so many; scans no more than that of functions or of one's versions. */
  function* versionsFrom(
    scope: Scope,
    after: readonly [name: string, version: number] | undefined,
    limit: number,
  ): Generator<VersionRecord> {
    if (after !== undefined) yield* publishedAfter(scope, after[0], after[1], limit);
    const position = after === undefined ? {} : { after: keys.function(scope, after[0]) };
    for (const { value } of store.functions(scope, { limit, ...position })) {
      yield value;
      yield* publishedAfter(scope, value.name, 0, limit);
    }
  }

  function* publishedAfter(
    scope: Scope,
    name: string,
    version: number,
    limit: number,
  ): Generator<VersionRecord> {
    const options = { after: keys.version(scope, name, version), limit };
    for (const { value } of store.versions(scope, name, options)) yield value;
  }

  /** Deletes a function with all that belongs to it, or one version; the specs that nothing runs any more. */
  function deleteFunction(name: FunctionName): Promise<readonly string[]> {
    const { qualifier } = name;
    const kind = qualifier === undefined ? undefined : kindOfQualifier(qualifier);
    if (kind === "alias") throw errors.aliasDeletion();
    if (kind === "latest") throw errors.latestDeletion();
    const unqualified = { ...name, qualifier: undefined };
    return store.updateFunction(unqualified, (found) =>
      kind === undefined || qualifier === undefined
        ? deleteWhole(name, found)
        : deleteVersion(name, qualifier, found),
    );
  }

  function deleteWhole(scope: Scope, found: FunctionDocument) {
    const { name, settings, serving } = found.value;
    const versions = [...store.versions(scope, name)];
    const belongings = [
      ...versions,
      ...store.aliases(scope, name),
      ...store.documents.list([scope.account, scope.region, "function-unsettled", name]),
    ];
    return {
      changes: [
        { key: found.key, delete: true as const, expected: found.revision },
        ...belongings.map(({ key }) => ({ key, delete: true as const })),
        ...functionAttachments(store, scope, name),
        ...concurrency.change(scope, name, undefined),
      ],
      result: [
        settings,
        ...(serving === undefined ? [] : [serving]),
        ...versions.map(({ value }) => value.settings),
      ].map(({ specId }) => specId),
    };
  }

  function deleteVersion(scope: Scope, version: string, found: FunctionDocument) {
    const { name } = found.value;
    const published =
      kindOfQualifier(version) === "version" ? store.version(scope, name, version) : undefined;
    // Recorded: deleting what is not there is answered with the unqualified ARN when there is no function; a version
    // that is missing from a function that exists is no error.
    if (published === undefined) return { changes: [], result: [] };
    const aliases = [...store.aliases(scope, name)]
      .filter(({ value }) => value.version === version || value.weight?.version === version)
      .map(({ value }) => value.name);
    if (aliases.length > 0) throw errors.versionHasAliases(aliases);
    return {
      changes: [
        // Written unchanged: an alias made at the same moment then finds that the function has moved on.
        { key: found.key, value: found.value, expected: found.revision },
        { key: published.key, delete: true as const, expected: published.revision },
        { key: keys.unsettled(scope, name, version), delete: true as const },
        ...qualifierAttachments(scope, name, version),
        ...concurrency.change(scope, name, withoutProvisioned(concurrency.of(scope, name), version)),
      ],
      result: [published.value.settings.specId],
    };
  }
}
