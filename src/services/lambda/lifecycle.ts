import { AwsError } from "#core/errors";
import type { Ids } from "#core/ids";
import { ImageProblem } from "#engine/code/images/errors";
import type { Engine, FunctionSpec } from "#engine/contract";
import type { Change, DocumentKey, Documents } from "#storage/documents";
import { toFunctionSpec } from "./configuration.ts";
import type { Scope } from "./names.ts";
import type { FunctionRecord, Status, VersionRecord } from "./records.ts";
import { commitDecision, keys, type LambdaStore } from "./store.ts";

/** Finishes creations and updates in the background: `Pending` becomes `Active`, `InProgress` becomes `Successful`. */
export interface Lifecycle {
  /** Call before a function of `scope` is first written, so that `resume` finds what a crash left unfinished. */
  registerScope(scope: Scope): Promise<void>;
  /** Finishes one version later; returns at once. */
  settleLater(scope: Scope, name: string, version: string): void;
  /** After a start: takes up everything that was under way when the platform stopped. */
  resume(): Promise<void>;
  /** Resolves when nothing is under way. */
  idle(): Promise<void>;
}

export interface LifecycleOptions {
  readonly store: LambdaStore;
  readonly engine: Engine;
  readonly ids: Ids;
  /** Refuses, with an AwsError, a spec that can never run here, such as one whose runtime is not installed. */
  readonly checkSpec?: (spec: FunctionSpec) => Promise<void> | void;
  /** Told of what went wrong in the background and is no client's fault. */
  readonly onProblem?: (problem: unknown) => void;
}

/** Where the platform notes which accounts and regions have functions: no account can be named so. */
const SCOPES = ["platform", "global", "lambda-scope"] as const;

/** The accounts and regions that have, or had, functions. */
export function* registeredScopes(documents: Documents, account?: string): Generator<Scope> {
  for (const { key } of documents.list(account === undefined ? SCOPES : [...SCOPES, account]))
    yield { account: String(key[3]), region: String(key[4]) };
}

export function createLifecycle(options: LifecycleOptions): Lifecycle {
  const { store, engine, ids } = options;
  const underWay = new Set<Promise<void>>();

  async function settle(scope: Scope, name: string, version: string): Promise<void> {
    const unsettled = keys.unsettled(scope, name, version);
    const retired = await commitUntilSettled(unsettled, scope, name, version);
    if (retired !== undefined) engine.retire(retired);
  }

  /** The id of the spec that is no longer served, if there is one. */
  async function commitUntilSettled(
    unsettled: DocumentKey,
    scope: Scope,
    name: string,
    version: string,
  ): Promise<string | undefined> {
    // The check runs outside of the decision, which must be synchronous; it is repeated where the settings changed.
    for (;;) {
      const checked = store.version(scope, name, version)?.value;
      const specId = checked?.settings.specId;
      const failure = checked === undefined ? undefined : await problemOf(scope, checked);
      const outcome = await commitDecision<Outcome>(store.documents, () => {
        const found = store.version(scope, name, version);
        if (found === undefined || isSettled(found.value))
          return { changes: [{ key: unsettled, delete: true }], result: { done: true } };
        if (found.value.settings.specId !== specId) return { changes: [], result: { done: false } };
        const { value, retired } = finish(found.value, failure);
        const changes: Change[] = [
          { key: found.key, value, expected: found.revision },
          { key: unsettled, delete: true },
        ];
        return { changes, result: { done: true, retired } };
      });
      if (outcome.done) return outcome.retired;
    }
  }

  async function problemOf(scope: Scope, record: VersionRecord): Promise<Failure | undefined> {
    const spec = toFunctionSpec(scope, record.name, record.version, record.settings);
    try {
      await engine.prepare(record.settings.code);
      await options.checkSpec?.(spec);
      if (spec.snapStart === true) return (await engine.snapshot(spec)) ? undefined : SNAPSHOT_FAILURE;
      engine.anticipate(spec);
      return undefined;
    } catch (problem) {
      if (problem instanceof AwsError) return { reason: problem.message, reasonCode: reasonCodeOf(problem) };
      options.onProblem?.(problem);
      return { reason: "An internal error occurred.", reasonCode: "InternalError" };
    }
  }

  function finish(
    record: VersionRecord,
    failure: Failure | undefined,
  ): { readonly value: VersionRecord; readonly retired?: string | undefined } {
    const revisionId = ids.uuid();
    if (record.state.name === "Pending") {
      const value: VersionRecord = failure
        ? { ...record, revisionId, state: { name: "Failed", ...failure } }
        : { ...record, revisionId, state: { name: "Active" }, update: { name: "Successful" } };
      return { value };
    }
    // After a failed update the function goes on serving what it served before, as in AWS.
    if (failure) return { value: { ...record, revisionId, update: { name: "Failed", ...failure } } };
    const { serving, ...rest } = record as FunctionRecord;
    const value = { ...rest, revisionId, state: { name: "Active" }, update: { name: "Successful" } } as const;
    return { value, retired: serving?.specId };
  }

  function settleLater(scope: Scope, name: string, version: string): void {
    const task = settle(scope, name, version)
      .catch((problem: unknown) => options.onProblem?.(problem))
      .finally(() => underWay.delete(task));
    underWay.add(task);
  }

  return {
    settleLater,

    async registerScope({ account, region }) {
      const key: DocumentKey = [...SCOPES, account, region];
      if (store.documents.get(key) === undefined) await store.documents.commit([{ key, value: true }]);
    },

    resume() {
      for (const scope of registeredScopes(store.documents)) {
        const unsettled = store.documents.list([scope.account, scope.region, "function-unsettled"]);
        for (const document of unsettled)
          settleLater(scope, String(document.key[3]), String(document.key[4]));
      }
      return Promise.resolve();
    },

    async idle() {
      while (underWay.size > 0) await Promise.all(underWay);
    },
  };
}

interface Outcome {
  readonly done: boolean;
  readonly retired?: string | undefined;
}

type Failure = Required<Pick<Status<string>, "reason" | "reasonCode">>;

/** A version with SnapStart whose init failed, in AWS's words as its users quote them. */
const SNAPSHOT_FAILURE: Failure = {
  reason: "An error occurred during function initialization.",
  reasonCode: "FunctionError",
};

/** Of StateReasonCode and LastUpdateStatusReasonCode (API reference, FunctionConfiguration). */
function reasonCodeOf(problem: AwsError): Failure["reasonCode"] {
  if (problem instanceof ImageProblem) return problem.reasonCode;
  return problem.code === "InvalidRuntimeException" ? "InvalidRuntime" : "InvalidConfiguration";
}

function isSettled(record: VersionRecord): boolean {
  return record.state.name !== "Pending" && record.update?.name !== "InProgress";
}
