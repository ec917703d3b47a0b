import type { Document } from "#storage/documents";
import { errors } from "./errors.ts";
import { functionArn, kindOfQualifier, type FunctionName, type Scope } from "./names.ts";
import type { AliasRecord, VersionRecord } from "./records.ts";
import type { LambdaStore } from "./store.ts";

/** What a qualifier names: `$LATEST`, a published version or an alias. Each has a revision id. */
export type QualifiedDocument = Document<VersionRecord | AliasRecord>;

/** Undefined where the function has no such version or alias. Without a qualifier it is `$LATEST`. */
export function findQualified(
  store: LambdaStore,
  scope: Scope,
  name: string,
  qualifier = "$LATEST",
): QualifiedDocument | undefined {
  const kind = kindOfQualifier(qualifier);
  if (kind === "none") return undefined;
  return kind === "alias" ? store.alias(scope, name, qualifier) : store.version(scope, name, qualifier);
}

/** @throws AwsError ResourceNotFoundException, which speaks of aliases in other words than of versions */
export function requireQualified(store: LambdaStore, name: FunctionName): QualifiedDocument {
  const { qualifier } = name;
  store.requireFunction(name, name.name, qualifier);
  const found = findQualified(store, name, name.name, qualifier);
  if (found !== undefined) return found;
  const arn = functionArn(name, name.name, qualifier);
  throw kindOfQualifier(qualifier ?? "$LATEST") === "alias"
    ? errors.cannotFindAlias(arn)
    : errors.functionNotFound(arn);
}
