import type { Clock } from "#core/clock";
import type { Change, DocumentKey, Documents } from "#storage/documents";
import type { Scope } from "../arns.ts";
import { LIMITS } from "../limits.ts";
import { keys, type TokenDocument } from "../store.ts";
import type { SubscriptionRegistry } from "../subscription/registry.ts";

/** Something that is due to be forgotten. */
export type Cleanup =
  | { readonly kind: "duplicate"; readonly topicId: string; readonly hash: string }
  /** A confirmation's time is over, and that of a subscription which nobody confirmed. */
  | { readonly kind: "token"; readonly token: string }
  /** A topic was deleted: its subscriptions stay readable for a while, as AWS's do. */
  | { readonly kind: "topic"; readonly topicId: string };

export const TOPIC_REMAINS_MS = 3_600_000;

const PAGE = 100;

export function encodeCleanup(cleanup: Cleanup): Uint8Array {
  return Buffer.from(JSON.stringify(cleanup));
}

export function decodeCleanup(bytes: Uint8Array): Cleanup {
  return JSON.parse(Buffer.from(bytes).toString()) as Cleanup;
}

export interface CleanupParts {
  readonly documents: Documents;
  readonly registry: SubscriptionRegistry;
  readonly clock: Clock;
}

export async function cleanUp(
  scope: Scope,
  cleanups: readonly Cleanup[],
  parts: { readonly documents: Documents; readonly registry: SubscriptionRegistry; readonly clock: Clock },
): Promise<void> {
  const { documents, clock } = parts;
  const duplicates = cleanups.flatMap((cleanup): Change[] => {
    if (cleanup.kind !== "duplicate") return [];
    const key = keys.duplicate(scope, cleanup.topicId, cleanup.hash);
    const found = documents.get<{ at: number }>(key);
    // One that came after the window of the first has a window of its own.
    const over = found !== undefined && clock.now() - found.value.at >= LIMITS.deduplicationMs;
    return over ? [{ key, delete: true }] : [];
  });
  if (duplicates.length > 0) await documents.commit(duplicates);
  for (const cleanup of cleanups) {
    if (cleanup.kind === "topic") await removeTopic(scope, cleanup.topicId, parts);
    if (cleanup.kind === "token") await removeToken(scope, cleanup.token, parts);
  }
}

async function removeTopic(
  scope: Scope,
  topicId: string,
  { documents, registry }: { readonly documents: Documents; readonly registry: SubscriptionRegistry },
): Promise<void> {
  for (;;) {
    const page = Array.from(
      documents.list(keys.membersOf(scope, topicId), { limit: PAGE }),
      ({ key }) => key,
    );
    if (page.length === 0) break;
    for (const key of page) {
      const id = String(key.at(-1));
      if ((await registry.remove(scope, id)) === undefined)
        await documents.commit([{ key: keys.member(scope, topicId, id), delete: true }]);
    }
  }
  const rest: readonly DocumentKey[] = [keys.counts(scope, topicId), keys.sequence(scope, topicId)];
  await documents.commit(rest.map((key) => ({ key, delete: true })));
}

async function removeToken(
  scope: Scope,
  token: string,
  { documents, registry, clock }: CleanupParts,
): Promise<void> {
  const key = keys.token(scope, token);
  const found = documents.get<TokenDocument>(key)?.value;
  if (found === undefined) return;
  await documents.commit([{ key, delete: true }]);
  const subscription = registry.find(scope, found.subscriptionId)?.value;
  if (subscription?.pending !== true) return;
  // A later request to confirm has a token of its own.
  const asked = subscription.askedAt ?? subscription.createdAt;
  if (clock.now() - asked >= LIMITS.tokenMs) await registry.remove(scope, subscription.id);
}
