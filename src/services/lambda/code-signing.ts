import { formatArn } from "#core/arn";
import type { Change, Document } from "#storage/documents";
import type { LambdaContext } from "./context.ts";
import { errors } from "./errors.ts";
import { countOne } from "./metrics.ts";
import type { Scope } from "./names.ts";
import type { CodeSigningConfigRecord, FunctionCodeSigningRecord } from "./records.ts";
import { keys, type LambdaStore } from "./store.ts";

export type CodeSigningConfigDocument = Document<CodeSigningConfigRecord>;

export function codeSigningConfigArn(scope: Scope, id: string): string {
  return formatArn("lambda", scope.region, scope.account, `code-signing-config:${id}`);
}

/** The configuration that an ARN names; undefined where there is none in this account and region. */
export function findCodeSigningConfig(
  { documents }: LambdaStore,
  scope: Scope,
  arn: string,
): CodeSigningConfigDocument | undefined {
  const id = arn.slice(arn.lastIndexOf(":") + 1);
  if (arn !== codeSigningConfigArn(scope, id)) return undefined;
  return documents.get<CodeSigningConfigRecord>(keys.codeSigningConfig(scope, id));
}

/** @throws AwsError CodeSigningConfigNotFoundException, for what would attach it to a function */
export function requireCodeSigningConfig(
  store: LambdaStore,
  scope: Scope,
  arn: string,
): CodeSigningConfigDocument {
  const found = findCodeSigningConfig(store, scope, arn);
  if (found === undefined) throw errors.codeSigningConfigMissing(arn);
  return found;
}

/** The configuration of a function, if it has one. */
export function codeSigningOf(
  store: LambdaStore,
  scope: Scope,
  name: string,
): CodeSigningConfigDocument | undefined {
  const attached = store.documents.get<FunctionCodeSigningRecord>(keys.functionCodeSigning(scope, name));
  return attached === undefined ? undefined : findCodeSigningConfig(store, scope, attached.value.configArn);
}

/** Attaches a configuration; fails where it is deleted at the same time. */
export function attachChanges(scope: Scope, name: string, config: CodeSigningConfigDocument): Change[] {
  const value: FunctionCodeSigningRecord = { configArn: codeSigningConfigArn(scope, config.value.id) };
  return [
    { key: config.key, value: config.value, expected: config.revision },
    { key: keys.functionCodeSigning(scope, name), value },
  ];
}

/**
 * Applies a function's policy to code or layers that are about to be deployed. A signature comes from a job of AWS
 * Signer, which is not here, so nothing is ever signed: `Enforce` refuses it, `Warn` counts it and lets it pass.
 * @throws AwsError CodeVerificationFailedException
 */
export function applyCodeSigning(
  { metrics, clock }: LambdaContext,
  scope: Scope,
  name: string,
  config: CodeSigningConfigDocument | undefined,
): void {
  if (config === undefined) return;
  if (config.value.policy === "Enforce") throw errors.codeUnsigned();
  countOne(metrics, scope, name, "SignatureValidationErrors", clock.now());
}
