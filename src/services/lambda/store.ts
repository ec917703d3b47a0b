import type { Change, Document, DocumentKey, Documents, ListOptions } from "#storage/documents";
import { RevisionConflict } from "#storage/documents";
import { errors } from "./errors.ts";
import { functionArn, type FunctionName, type Scope } from "./names.ts";
import type { AliasRecord, FunctionRecord, PublishedRecord, VersionRecord } from "./records.ts";

export const keys = {
  function: (scope: Scope, name: string): DocumentKey => [scope.account, scope.region, "function", name],
  version: (scope: Scope, name: string, number: number): DocumentKey => [
    scope.account,
    scope.region,
    "function-version",
    name,
    number,
  ],
  alias: (scope: Scope, name: string, alias: string): DocumentKey => [
    scope.account,
    scope.region,
    "function-alias",
    name,
    alias,
  ],
  concurrency: (scope: Scope, name: string): DocumentKey => [
    scope.account,
    scope.region,
    "function-concurrency",
    name,
  ],
  concurrencyLedger: (scope: Scope): DocumentKey => [scope.account, scope.region, "concurrency-ledger"],
  policy: (scope: Scope, name: string, qualifier: string): DocumentKey => [
    scope.account,
    scope.region,
    "function-policy",
    name,
    qualifier,
  ],
  eventInvoke: (scope: Scope, name: string, qualifier: string): DocumentKey => [
    scope.account,
    scope.region,
    "function-event-invoke",
    name,
    qualifier,
  ],
  runtimeManagement: (scope: Scope, name: string, qualifier: string): DocumentKey => [
    scope.account,
    scope.region,
    "function-runtime-management",
    name,
    qualifier,
  ],
  recursion: (scope: Scope, name: string): DocumentKey => [
    scope.account,
    scope.region,
    "function-recursion",
    name,
  ],
  codeSigningConfig: (scope: Scope, id: string): DocumentKey => [
    scope.account,
    scope.region,
    "code-signing-config",
    id,
  ],
  functionCodeSigning: (scope: Scope, name: string): DocumentKey => [
    scope.account,
    scope.region,
    "function-code-signing",
    name,
  ],
  eventSourceMapping: (scope: Scope, uuid: string): DocumentKey => [
    scope.account,
    scope.region,
    "event-source-mapping",
    uuid,
  ],
  /** Notes which mapping joins an event source and a function, so that no second one does. */
  eventSourcePair: (scope: Scope, digest: string): DocumentKey => [
    scope.account,
    scope.region,
    "event-source-pair",
    digest,
  ],
  layer: (scope: Scope, name: string): DocumentKey => [scope.account, scope.region, "layer", name],
  layerVersion: (scope: Scope, name: string, number: number): DocumentKey => [
    scope.account,
    scope.region,
    "layer-version",
    name,
    number,
  ],
  /** Marks a version whose creation or update is not finished; lifecycle.ts takes it up again after a crash. */
  unsettled: (scope: Scope, name: string, version: string): DocumentKey => [
    scope.account,
    scope.region,
    "function-unsettled",
    name,
    version,
  ],
};

export type FunctionDocument = Document<FunctionRecord>;

/** Fails the commit where the function was deleted, or lost a version, since it was read. */
export function unchanged(found: FunctionDocument): Change {
  return { key: found.key, value: found.value, expected: found.revision };
}

/** Lambda's documents. Reads are synchronous; every write that depends on a read names the revision it read. */
export interface LambdaStore {
  readonly documents: Documents;
  function(scope: Scope, name: string): FunctionDocument | undefined;
  /** @throws AwsError ResourceNotFoundException naming `shown`'s ARN, or the unqualified one */
  requireFunction(scope: Scope, name: string, shown?: string): FunctionDocument;
  version(scope: Scope, name: string, version: string): Document<VersionRecord> | undefined;
  alias(scope: Scope, name: string, alias: string): Document<AliasRecord> | undefined;
  functions(scope: Scope, options?: ListOptions): Iterable<FunctionDocument>;
  versions(scope: Scope, name: string, options?: ListOptions): Iterable<Document<PublishedRecord>>;
  aliases(scope: Scope, name: string, options?: ListOptions): Iterable<Document<AliasRecord>>;
  /**
   * Commits what `change` makes of the function's present state, again and again until nobody else was faster, so
   * that no parallel change is lost. `change` may throw to give up.
   */
  updateFunction<T>(name: FunctionName, change: (found: FunctionDocument) => Decision<T>): Promise<T>;
  /** The same for a function that must not exist. @throws AwsError ResourceConflictException */
  updateAbsent<T>(name: FunctionName, change: () => Decision<T>): Promise<T>;
}

/** What to write, and what to tell the caller once it is on disk. */
export interface Decision<T> {
  readonly changes: readonly Change[];
  readonly result: T;
}

export function createLambdaStore(documents: Documents): LambdaStore {
  const store: LambdaStore = {
    documents,

    function: (scope, name) => documents.get<FunctionRecord>(keys.function(scope, name)),

    requireFunction(scope, name, shown) {
      const found = store.function(scope, name);
      if (found === undefined) throw errors.functionNotFound(functionArn(scope, name, shown));
      return found;
    },

    version(scope, name, version) {
      if (version === "$LATEST") return store.function(scope, name);
      return documents.get<PublishedRecord>(keys.version(scope, name, Number(version)));
    },

    alias: (scope, name, alias) => documents.get<AliasRecord>(keys.alias(scope, name, alias)),

    functions: ({ account, region }, options) =>
      documents.list<FunctionRecord>([account, region, "function"], options),

    versions: ({ account, region }, name, options) =>
      documents.list<PublishedRecord>([account, region, "function-version", name], options),

    aliases: ({ account, region }, name, options) =>
      documents.list<AliasRecord>([account, region, "function-alias", name], options),

    updateFunction: (name, change) =>
      commitDecision(documents, () => change(store.requireFunction(name, name.name))),

    updateAbsent: (name, change) =>
      commitDecision(documents, () => {
        if (store.function(name, name.name) !== undefined) throw errors.functionExists(name.name);
        return change();
      }),
  };
  return store;
}

/** Decides and commits; decides anew whenever another writer changed what the decision was based on. */
export async function commitDecision<T>(documents: Documents, decide: () => Decision<T>): Promise<T> {
  for (;;) {
    const { changes, result } = decide();
    try {
      if (changes.length > 0) await documents.commit(changes);
      return result;
    } catch (problem) {
      if (!(problem instanceof RevisionConflict)) throw problem;
    }
  }
}
