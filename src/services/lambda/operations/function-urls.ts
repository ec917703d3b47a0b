import type { Cors, FunctionUrlConfig } from "@aws-sdk/client-lambda";
import type { Document } from "#storage/documents";
import type { CallContext, OperationsOf } from "#wire/operation";
import { formatLastModified } from "../configuration.ts";
import type { LambdaClientModule, LambdaContext } from "../context.ts";
import { errors } from "../errors.ts";
import { functionArn, parseFunctionName, parseUnqualifiedName, type FunctionName } from "../names.ts";
import { pageSize, readMarker, takePage, writeMarker } from "../pages.ts";
import { findQualified } from "../qualified.ts";
import { commitDecision, unchanged } from "../store.ts";
import { functionUrl, newUrlId } from "../urls/address.ts";
import { urlErrors } from "../urls/errors.ts";
import { urlKeys, type UrlCors, type UrlIdRecord, type UrlRecord } from "../urls/records.ts";

interface Named {
  readonly FunctionName: string | undefined;
  readonly Qualifier?: string | undefined;
}

/** The URLs of functions and aliases. What answers them is urls/server.ts. */
export function functionUrlOperations(context: LambdaContext) {
  const { store, clock, ids } = context;
  const { documents } = store;

  return {
    async CreateFunctionUrlConfig(input, call) {
      const name = nameOf(call, "CreateFunctionUrlConfig", input);
      requireSubject(name);
      const now = clock.now();
      const record: UrlRecord = {
        urlId: newUrlId(name.account, ids),
        authType: input.AuthType ?? "AWS_IAM",
        ...corsOf(input.Cors),
        ...(input.InvokeMode === undefined ? {} : { invokeMode: input.InvokeMode }),
        createdAt: now,
        lastModified: now,
      };
      await store.updateFunction(name, (found) => {
        // Again: the alias may have gone in between.
        requireSubject(name);
        if (found.value.settings.tenancy !== undefined) throw errors.notWithTenancy("A function URL");
        if (configOf(name) !== undefined) throw urlErrors.urlExists(arnOf(name));
        const to: UrlIdRecord = { name: name.name, qualifier: qualifierOf(name) };
        return {
          changes: [
            unchanged(found),
            { key: keyOf(name), value: record, expected: 0 },
            { key: urlKeys.id(name, record.urlId), value: to, expected: 0 },
          ],
          result: undefined,
        };
      });
      const { LastModifiedTime: _, ...created } = describe(call, name, record);
      return created;
    },

    GetFunctionUrlConfig(input, call) {
      const name = nameOf(call, "GetFunctionUrlConfig", input);
      return complete(describe(call, name, requireConfig(name).value));
    },

    async UpdateFunctionUrlConfig(input, call) {
      const name = nameOf(call, "UpdateFunctionUrlConfig", input);
      requireSubject(name);
      const record = await commitDecision(documents, () => {
        const found = requireConfig(name);
        const { cors, ...kept } = found.value;
        const value: UrlRecord = {
          ...kept,
          ...(input.Cors === undefined ? (cors === undefined ? {} : { cors }) : corsOf(input.Cors)),
          ...(input.AuthType === undefined ? {} : { authType: input.AuthType }),
          ...(input.InvokeMode === undefined ? {} : { invokeMode: input.InvokeMode }),
          lastModified: clock.now(),
        };
        return { changes: [{ key: found.key, value, expected: found.revision }], result: value };
      });
      return describe(call, name, record);
    },

    async DeleteFunctionUrlConfig(input, call) {
      const name = nameOf(call, "DeleteFunctionUrlConfig", input);
      await commitDecision(documents, () => {
        const found = requireConfig(name);
        const changes = [
          { key: found.key, delete: true as const, expected: found.revision },
          { key: urlKeys.id(name, found.value.urlId), delete: true as const },
        ];
        return { changes, result: undefined };
      });
      return {};
    },

    ListFunctionUrlConfigs(input, call) {
      const name = parseUnqualifiedName(call, "ListFunctionUrlConfigs", input.FunctionName);
      requireSubject(name);
      const after = readMarker<[string]>(input.Marker, ["string"])?.[0];
      const size = pageSize(input.MaxItems);
      const { page, more } = takePage(
        documents.list<UrlRecord>([name.account, name.region, "function-url", name.name], {
          limit: size + 1,
          ...(after === undefined ? {} : { after: urlKeys.config(name, name.name, after) }),
        }),
        size,
      );
      const last = page.at(-1);
      return {
        FunctionUrlConfigs: page.map(({ key, value }) =>
          complete(describe(call, { ...name, qualifier: String(key[4]) }, value)),
        ),
        ...(more && last !== undefined ? { NextMarker: writeMarker([String(last.key[4])]) } : {}),
      };
    },
  } satisfies OperationsOf<LambdaClientModule>;

  /** @throws AwsError where there is no such function or alias */
  function requireSubject(name: FunctionName): void {
    if (store.function(name, name.name) === undefined) throw urlErrors.functionMissing();
    if (findQualified(store, name, name.name, name.qualifier) === undefined)
      throw urlErrors.functionMissing();
  }

  function configOf(name: FunctionName): Document<UrlRecord> | undefined {
    return documents.get<UrlRecord>(keyOf(name));
  }

  /** A URL outlives its alias (recorded: test_lambda_url_persists_after_alias_delete). */
  function requireConfig(name: FunctionName): Document<UrlRecord> {
    const found = configOf(name);
    if (found === undefined) throw urlErrors.urlMissing();
    return found;
  }
}

function nameOf(call: CallContext, action: string, input: Named): FunctionName {
  return parseFunctionName(call, action, input.FunctionName, input.Qualifier);
}

function qualifierOf(name: FunctionName): string {
  return name.qualifier ?? "$LATEST";
}

function keyOf(name: FunctionName) {
  return urlKeys.config(name, name.name, qualifierOf(name));
}

function arnOf(name: FunctionName): string {
  return functionArn(name, name.name, name.qualifier === "$LATEST" ? undefined : name.qualifier);
}

/** Settings without a member are none: that is how they are taken away again. */
function corsOf(cors: Cors | undefined): { cors?: UrlCors } {
  const given = Object.entries(cors ?? {}).filter(([, value]) => value !== undefined);
  return given.length === 0 ? {} : { cors: Object.fromEntries(given) };
}

function describe(call: CallContext, name: FunctionName, record: UrlRecord): FunctionUrlConfig {
  const { urlId, authType, cors, invokeMode, createdAt, lastModified } = record;
  return {
    FunctionUrl: functionUrl(urlId, name.region, call.baseUrl),
    FunctionArn: arnOf(name),
    AuthType: authType,
    ...(cors === undefined ? {} : { Cors: cors as Cors }),
    CreationTime: formatLastModified(createdAt),
    LastModifiedTime: formatLastModified(lastModified),
    ...(invokeMode === undefined ? {} : { InvokeMode: invokeMode }),
  };
}

/** Reads tell the invoke mode even where none was given; creations and updates do not (recorded). */
function complete(config: FunctionUrlConfig): FunctionUrlConfig {
  return { ...config, InvokeMode: config.InvokeMode ?? "BUFFERED" };
}
