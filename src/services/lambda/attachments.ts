import type { Change } from "#storage/documents";
import type { Scope } from "./names.ts";
import { keys, type LambdaStore } from "./store.ts";

/** Kinds of documents that belong to a function and go with it; their keys continue with its name. */
const OF_FUNCTION = [
  "function-policy",
  "function-event-invoke",
  "function-runtime-management",
  "function-recursion",
  "function-code-signing",
] as const;

/** What goes with a function, whatever its qualifiers. */
export function functionAttachments({ documents }: LambdaStore, scope: Scope, name: string): Change[] {
  return OF_FUNCTION.flatMap((kind) =>
    [...documents.list([scope.account, scope.region, kind, name])].map(({ key }) => ({
      key,
      delete: true as const,
    })),
  );
}

/** What goes with one version or alias. */
export function qualifierAttachments(scope: Scope, name: string, qualifier: string): Change[] {
  return [keys.policy, keys.eventInvoke, keys.runtimeManagement].map((keyOf) => ({
    key: keyOf(scope, name, qualifier),
    delete: true,
  }));
}
