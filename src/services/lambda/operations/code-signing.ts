import type { CodeSigningConfig } from "@aws-sdk/client-lambda";
import type { CallContext, OperationsOf } from "#wire/operation";
import {
  attachChanges,
  codeSigningConfigArn,
  findCodeSigningConfig,
  requireCodeSigningConfig,
  type CodeSigningConfigDocument,
} from "../code-signing.ts";
import { formatLastModified } from "../configuration.ts";
import type { LambdaClientModule, LambdaContext } from "../context.ts";
import { errors } from "../errors.ts";
import { functionArn, parseUnqualifiedName, type Scope } from "../names.ts";
import { pageSize, readMarker, takePage, writeMarker } from "../pages.ts";
import type { CodeSigningConfigRecord, FunctionCodeSigningRecord } from "../records.ts";
import { addTags } from "../settings.ts";
import { commitDecision, keys, unchanged } from "../store.ts";

/** Who may have signed a function's code, and what becomes of code that nobody did: see ../code-signing.ts. */
export function codeSigningOperations(context: LambdaContext) {
  const { store, clock, ids } = context;
  const { documents } = store;

  return {
    async CreateCodeSigningConfig(input, call) {
      const tags = addTags({}, input.Tags);
      const record: CodeSigningConfigRecord = {
        id: `csc-${ids.hex(17)}`,
        description: input.Description ?? "",
        publishers: input.AllowedPublishers?.SigningProfileVersionArns ?? [],
        policy: input.CodeSigningPolicies?.UntrustedArtifactOnDeployment ?? "Warn",
        lastModified: clock.now(),
        tags,
      };
      await documents.commit([{ key: keys.codeSigningConfig(call, record.id), value: record, expected: 0 }]);
      return { CodeSigningConfig: describe(call, record) };
    },

    GetCodeSigningConfig(input, call) {
      return { CodeSigningConfig: describe(call, find(call, input.CodeSigningConfigArn).value) };
    },

    async UpdateCodeSigningConfig(input, call) {
      const record = await commitDecision(documents, () => {
        const found = find(call, input.CodeSigningConfigArn);
        const value: CodeSigningConfigRecord = {
          ...found.value,
          description: input.Description ?? found.value.description,
          publishers: input.AllowedPublishers?.SigningProfileVersionArns ?? found.value.publishers,
          policy: input.CodeSigningPolicies?.UntrustedArtifactOnDeployment ?? found.value.policy,
          lastModified: clock.now(),
        };
        return { changes: [{ key: found.key, value, expected: found.revision }], result: value };
      });
      return { CodeSigningConfig: describe(call, record) };
    },

    async DeleteCodeSigningConfig(input, call) {
      await commitDecision(documents, () => {
        const found = find(call, input.CodeSigningConfigArn);
        const [user] = usersOf(call, input.CodeSigningConfigArn, undefined);
        if (user !== undefined) throw errors.codeSigningConfigInUse(input.CodeSigningConfigArn ?? "");
        const change = { key: found.key, delete: true as const, expected: found.revision };
        return { changes: [change], result: undefined };
      });
      return {};
    },

    ListCodeSigningConfigs(input, call) {
      const after = readMarker<[string]>(input.Marker, ["string"])?.[0];
      const size = pageSize(input.MaxItems);
      const { page, more } = takePage(
        documents.list<CodeSigningConfigRecord>([call.account, call.region, "code-signing-config"], {
          limit: size + 1,
          ...(after === undefined ? {} : { after: keys.codeSigningConfig(call, after) }),
        }),
        size,
      );
      const last = page.at(-1);
      return {
        CodeSigningConfigs: page.map(({ value }) => describe(call, value)),
        ...(more && last !== undefined ? { NextMarker: writeMarker([last.value.id]) } : {}),
      };
    },

    async PutFunctionCodeSigningConfig(input, call) {
      const name = parseUnqualifiedName(call, "PutFunctionCodeSigningConfig", input.FunctionName);
      const arn = input.CodeSigningConfigArn ?? "";
      requireCodeSigningConfig(store, name, arn);
      await store.updateFunction(name, (found) => ({
        changes: [
          unchanged(found),
          ...attachChanges(name, name.name, requireCodeSigningConfig(store, name, arn)),
        ],
        result: undefined,
      }));
      return { CodeSigningConfigArn: arn, FunctionName: name.name };
    },

    GetFunctionCodeSigningConfig(input, call) {
      const name = parseUnqualifiedName(call, "GetFunctionCodeSigningConfig", input.FunctionName);
      store.requireFunction(name, name.name);
      const attached = documents.get<FunctionCodeSigningRecord>(keys.functionCodeSigning(name, name.name));
      // The client's type demands an ARN; AWS leaves it out where the function has no such configuration.
      return { CodeSigningConfigArn: attached?.value.configArn, FunctionName: name.name };
    },

    async DeleteFunctionCodeSigningConfig(input, call) {
      const name = parseUnqualifiedName(call, "DeleteFunctionCodeSigningConfig", input.FunctionName);
      await store.updateFunction(name, (found) => ({
        changes: [unchanged(found), { key: keys.functionCodeSigning(name, name.name), delete: true }],
        result: undefined,
      }));
      return {};
    },

    ListFunctionsByCodeSigningConfig(input, call) {
      find(call, input.CodeSigningConfigArn);
      const after = readMarker<[string]>(input.Marker, ["string"])?.[0];
      const users = usersOf(call, input.CodeSigningConfigArn, after);
      const { page, more } = takePage(users, pageSize(input.MaxItems));
      const last = page.at(-1);
      return {
        FunctionArns: page.map((name) => functionArn(call, name)),
        ...(more && last !== undefined ? { NextMarker: writeMarker([last]) } : {}),
      };
    },
  } satisfies OperationsOf<LambdaClientModule>;

  function find(call: CallContext, arn = ""): CodeSigningConfigDocument {
    const found = findCodeSigningConfig(store, call, arn);
    if (found === undefined) throw errors.codeSigningConfigNotFound(arn);
    return found;
  }

  /** Names of the functions that a configuration is attached to. */
  function* usersOf(scope: Scope, arn: string | undefined, after: string | undefined): Generator<string> {
    const attached = documents.list<FunctionCodeSigningRecord>(
      [scope.account, scope.region, "function-code-signing"],
      after === undefined ? {} : { after: keys.functionCodeSigning(scope, after) },
    );
    for (const { key, value } of attached) if (value.configArn === arn) yield String(key[3]);
  }
}

function describe(scope: Scope, record: CodeSigningConfigRecord): CodeSigningConfig {
  return {
    CodeSigningConfigId: record.id,
    CodeSigningConfigArn: codeSigningConfigArn(scope, record.id),
    Description: record.description,
    AllowedPublishers: { SigningProfileVersionArns: [...record.publishers] },
    CodeSigningPolicies: { UntrustedArtifactOnDeployment: record.policy },
    LastModified: formatLastModified(record.lastModified),
  };
}
