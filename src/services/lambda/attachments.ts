import type { Change } from "#storage/documents";
import type { Scope } from "./names.ts";
import { keys, type LambdaStore } from "./store.ts";
import { urlKeys, type UrlRecord } from "./urls/records.ts";

/** Kinds of documents that belong to a function and go with it; their keys continue with its name. */
const OF_FUNCTION = [
  "function-policy",
  "function-event-invoke",
  "function-runtime-management",
  "function-recursion",
  "function-code-signing",
  "function-url",
] as const;

/** What goes with a function, whatever its qualifiers. */
export function functionAttachments({ documents }: LambdaStore, scope: Scope, name: string): Change[] {
  const { account, region } = scope;
  const urls = [...documents.list<UrlRecord>([account, region, "function-url", name])];
  const belongings = OF_FUNCTION.flatMap((kind) =>
    [...documents.list([account, region, kind, name])].map(({ key }) => key),
  );
  const urlIds = urls.map(({ value }) => urlKeys.id(scope, value.urlId));
  return [...belongings, ...urlIds].map((key) => ({ key, delete: true }));
}

/** What goes with one version or alias. */
export function qualifierAttachments(scope: Scope, name: string, qualifier: string): Change[] {
  return [keys.policy, keys.eventInvoke, keys.runtimeManagement].map((keyOf) => ({
    key: keyOf(scope, name, qualifier),
    delete: true,
  }));
}
