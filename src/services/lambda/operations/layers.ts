import type {
  LayersListItem,
  LayerVersionsListItem,
  PublishLayerVersionResponse,
} from "@aws-sdk/client-lambda";
import type { CallContext, OperationsOf } from "#wire/operation";
import { formatLastModified } from "../configuration.ts";
import type { LambdaClientModule, LambdaContext } from "../context.ts";
import { errors } from "../errors.ts";
import {
  layerArn,
  parseLayerName,
  parseLayerVersionArn,
  readLayerVersion,
  type LayerName,
  type LayerVersionName,
} from "../layers.ts";
import type { Scope } from "../names.ts";
import { pageSize, readMarker, takePage, writeMarker } from "../pages.ts";
import type { LayerRecord, LayerVersionRecord } from "../records.ts";
import { commitDecision, keys } from "../store.ts";
import { acceptCode } from "./code.ts";

interface Filter {
  readonly CompatibleRuntime?: string | undefined;
  readonly CompatibleArchitecture?: string | undefined;
}

/** Publishing, reading, listing and deleting layers' versions. */
export function layerOperations(context: LambdaContext) {
  const { store, links, clock, lifecycle } = context;
  const { documents } = store;

  return {
    async PublishLayerVersion(input, call) {
      const name = parseLayerName(call, input.LayerName);
      requireOwn(call, name);
      const content = input.Content ?? {};
      if (content.ZipFile === undefined && content.S3Bucket === undefined) throw errors.layerContentMissing();
      const code = await acceptCode(context, call, content, "PublishLayerVersion");
      await lifecycle.registerScope(name);
      const record = await commitDecision(documents, () => {
        const layer = documents.get<LayerRecord>(keys.layer(name, name.name));
        const version = (layer?.value.lastVersion ?? 0) + 1;
        const published: LayerVersionRecord = {
          name: name.name,
          version,
          description: input.Description ?? "",
          licenseInfo: input.LicenseInfo,
          runtimes: input.CompatibleRuntimes,
          architectures: input.CompatibleArchitectures,
          code,
          createdAt: clock.now(),
          policy: undefined,
        };
        const counted: LayerRecord = { name: name.name, lastVersion: version };
        return {
          changes: [
            { key: keys.layer(name, name.name), value: counted, expected: layer?.revision ?? 0 },
            { key: keys.layerVersion(name, name.name, version), value: published, expected: 0 },
          ],
          result: published,
        };
      });
      return describe(call, name, record);
    },

    GetLayerVersion(input, call) {
      const name = parseLayerName(call, input.LayerName);
      return read(call, { ...name, version: requireVersion(input.VersionNumber) });
    },

    GetLayerVersionByArn(input, call) {
      const name = parseLayerVersionArn(input.Arn ?? "");
      if (name === undefined) throw errors.layerMissing();
      return read(call, name);
    },

    async DeleteLayerVersion(input, call) {
      const name = parseLayerName(call, input.LayerName);
      const version = requireVersion(input.VersionNumber);
      requireOwn(call, name);
      // What is not there is no error (recorded for functions' versions); functions keep the code that they have.
      await documents.commit([{ key: keys.layerVersion(name, name.name, version), delete: true }]);
      return {};
    },

    ListLayers(input, call) {
      const after = readMarker<[string]>(input.Marker, ["string"]);
      const size = pageSize(input.MaxItems);
      const { page, more } = takePage(latestVersions(call, input, after?.[0]), size);
      const last = page.at(-1);
      return {
        Layers: page.map((record): LayersListItem => ({
          LayerName: record.name,
          LayerArn: layerArn(call, record.name),
          LatestMatchingVersion: describeInList(call, record),
        })),
        ...(more && last !== undefined ? { NextMarker: writeMarker([last.name]) } : {}),
      };
    },

    ListLayerVersions(input, call) {
      const name = parseLayerName(call, input.LayerName);
      requireOwn(call, name);
      const before = readMarker<[number]>(input.Marker, ["number"]);
      const size = pageSize(input.MaxItems);
      const { page, more } = takePage(matchingVersions(name, input, before?.[0]), size);
      const last = page.at(-1);
      return {
        LayerVersions: page.map((record) => describeInList(name, record)),
        ...(more && last !== undefined ? { NextMarker: writeMarker([last.version]) } : {}),
      };
    },
  } satisfies OperationsOf<LambdaClientModule>;

  function read(call: CallContext, name: LayerVersionName): PublishLayerVersionResponse {
    const found = readLayerVersion(context, call, name);
    if (found === undefined) throw errors.layerMissing();
    return describe(call, name, found.value);
  }

  function describe(
    call: CallContext,
    scope: Scope,
    record: LayerVersionRecord,
  ): PublishLayerVersionResponse {
    const { code } = record;
    return {
      LayerArn: layerArn(scope, record.name),
      ...describeInList(scope, record),
      Content: {
        Location: links.url(call.baseUrl, code.blob),
        CodeSha256: code.sha256,
        CodeSize: code.bytes,
      },
    };
  }

  /** The newest version of each layer that fits the filter, by the layers' names. */
  function* latestVersions(
    scope: Scope,
    filter: Filter,
    after: string | undefined,
  ): Generator<LayerVersionRecord> {
    const position = after === undefined ? {} : { after: keys.layer(scope, after) };
    for (const { value } of documents.list<LayerRecord>([scope.account, scope.region, "layer"], position)) {
      const layer: LayerName = { account: scope.account, region: scope.region, name: value.name };
      const [newest] = takePage(matchingVersions(layer, filter, undefined), 1).page;
      if (newest !== undefined) yield newest;
    }
  }

  /** Newest first (recorded). */
  function* matchingVersions(
    name: LayerName,
    filter: Filter,
    before: number | undefined,
  ): Generator<LayerVersionRecord> {
    const prefix = [name.account, name.region, "layer-version", name.name] as const;
    const position = before === undefined ? {} : { after: keys.layerVersion(name, name.name, before) };
    for (const { value } of documents.list<LayerVersionRecord>(prefix, { reverse: true, ...position }))
      if (fits(value, filter)) yield value;
  }
}

function fits({ runtimes, architectures }: LayerVersionRecord, filter: Filter): boolean {
  const { CompatibleRuntime, CompatibleArchitecture } = filter;
  return (
    (CompatibleRuntime === undefined || runtimes?.includes(CompatibleRuntime) === true) &&
    // A layer that names none suits every architecture of its time: x86_64 (API reference, ListLayers).
    (CompatibleArchitecture === undefined || (architectures ?? ["x86_64"]).includes(CompatibleArchitecture))
  );
}

function describeInList(scope: Scope, record: LayerVersionRecord): LayerVersionsListItem {
  return {
    LayerVersionArn: layerArn(scope, record.name, record.version),
    Version: record.version,
    Description: record.description,
    CreatedDate: formatLastModified(record.createdAt),
    ...(record.runtimes === undefined ? {} : { CompatibleRuntimes: listOf(record.runtimes) }),
    ...(record.architectures === undefined ? {} : { CompatibleArchitectures: listOf(record.architectures) }),
    ...(record.licenseInfo === undefined ? {} : { LicenseInfo: record.licenseInfo }),
  };
}

/** The wire has checked that they are values of the client's enums. */
function listOf<T extends string>(values: readonly string[]): T[] {
  return [...values] as T[];
}

function requireVersion(version: number | undefined): number {
  if (version === undefined || version < 1) throw errors.layerVersionTooSmall();
  return version;
}

/** Only its own account changes a layer, or lists its versions. */
function requireOwn(call: CallContext, name: LayerName): void {
  if (name.account !== call.account)
    throw errors.layerForbidden(call.principal.arn, layerArn(name, name.name));
}
