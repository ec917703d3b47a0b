import type { Clock, Timer } from "#core/clock";
import type { Document, DocumentKey, Documents } from "#storage/documents";
import type { Calls, HolderCalls, KeyCall, LastUse, PermissionUsage } from "#wire/authorisation/usage";
import { revise } from "../revise.ts";
import { keys } from "./store.ts";

/** For so long IAM knows of a use ("Refine permissions in AWS using last accessed information", IAM user guide). */
const TRACKED_MS = 400 * 86_400_000;

/** What is in memory alone is lost with a crash. */
const KEEP_EVERY_MS = 5 * 60_000;

/** How many documents are written in one go. */
const BATCH = 100;

/** What a role or a user called last: by action, such as `s3:GetObject`. */
interface HolderDocument {
  readonly actions: Readonly<Record<string, Readonly<LastUse>>>;
}

/** The last request that an access key signed. */
export interface KeyUse extends Readonly<LastUse> {
  /** Such as `s3`. */
  readonly service: string;
}

/** When roles, users and access keys were used last: exact while the platform runs, and kept over its restarts. */
export interface LastUsed {
  /** What the role or user of an id called, by action. */
  actionsOf(account: string, holderId: string): ReadonlyMap<string, Readonly<LastUse>>;
  /** The last of these calls. */
  holder(account: string, holderId: string): Readonly<LastUse> | undefined;
  key(account: string, accessKeyId: string): KeyUse | undefined;
  /** Begins to write what was called, now and then. */
  start(): void;
  /** Writes what has not been written. */
  keep(): Promise<void>;
  close(): Promise<void>;
}

export function createLastUsed(options: {
  readonly documents: Documents;
  readonly clock: Clock;
  readonly usage: PermissionUsage;
  readonly onError: (error: unknown) => void;
}): LastUsed {
  const { documents, clock, usage, onError } = options;
  let timer: Timer | undefined;
  let closed = false;
  /** Calls that are neither in memory alone nor on disk yet. */
  let beingKept: Calls | undefined;
  let keeping = Promise.resolve();

  function actionsOf(account: string, id: string): ReadonlyMap<string, Readonly<LastUse>> {
    const kept = documents.get<HolderDocument>(keys.lastUsed(account, id))?.value.actions ?? {};
    return merge(kept, beingKept?.holders.get(id), usage.calls.holders.get(id));
  }

  function merge(
    kept: HolderDocument["actions"],
    ...later: readonly (HolderCalls | undefined)[]
  ): Map<string, Readonly<LastUse>> {
    const forgotten = clock.now() - TRACKED_MS;
    const actions = new Map(Object.entries(kept).filter(([, { time }]) => time > forgotten));
    for (const calls of later)
      for (const { name, time, region } of calls?.actions.values() ?? [])
        if (time >= (actions.get(name)?.time ?? 0)) actions.set(name, { time, region });
    return actions;
  }

  function key(account: string, id: string): KeyUse | undefined {
    const called = usage.calls.keys.get(id) ?? beingKept?.keys.get(id);
    const use = called ?? documents.get<KeyUse>(keys.lastUsed(account, id))?.value;
    if (use === undefined || use.time <= clock.now() - TRACKED_MS) return undefined;
    return { time: use.time, region: use.region, service: use.service };
  }

  async function keepHolder(id: string, calls: HolderCalls): Promise<void> {
    const { principal } = calls;
    const { account } = principal;
    const owner =
      principal.kind === "user"
        ? keys.user(account, principal.userName)
        : keys.role(account, principal.roleArn.slice(principal.roleArn.lastIndexOf("/") + 1));
    const target = keys.lastUsed(account, id);
    await keepOf<HolderDocument>(owner, target, (found, current) =>
      found.id === id
        ? { actions: Object.fromEntries(merge(current?.value.actions ?? {}, calls)) }
        : undefined,
    );
  }

  async function keepKey(id: string, { principal, time, region, service }: KeyCall): Promise<void> {
    const { account } = principal;
    await keepOf<KeyUse>(keys.accessKey(account, id), keys.lastUsed(account, id), () => ({
      time,
      region,
      service,
    }));
  }

  /** Nothing is kept of what is gone: its document goes with it. */
  async function keepOf<T>(
    owner: DocumentKey,
    target: DocumentKey,
    next: (owner: { readonly id: string }, current: Document<T> | undefined) => T | undefined,
  ): Promise<void> {
    await revise<T>(documents, target, (current) => {
      const found = documents.get<{ readonly id: string }>(owner);
      const value = found === undefined ? undefined : next(found.value, current);
      if (found === undefined || value === undefined) return [];
      return [
        { key: target, value },
        { key: found.key, check: true, expected: found.revision },
      ];
    });
  }

  async function write(): Promise<void> {
    const calls = usage.takeCalls();
    beingKept = calls;
    const writes = [
      ...Array.from(
        calls.holders,
        ([id, one]) =>
          () =>
            keepHolder(id, one).then(() => calls.holders.delete(id)),
      ),
      ...Array.from(
        calls.keys,
        ([id, one]) =>
          () =>
            keepKey(id, one).then(() => calls.keys.delete(id)),
      ),
    ];
    try {
      for (let at = 0; at < writes.length; at += BATCH)
        await Promise.all(writes.slice(at, at + BATCH).map((one) => one()));
    } catch (error) {
      usage.putBack(calls);
      onError(error);
    } finally {
      beingKept = undefined;
    }
  }

  function keep(): Promise<void> {
    keeping = keeping.then(write);
    return keeping;
  }

  function start(): void {
    if (closed) return;
    timer = clock.after(KEEP_EVERY_MS, () => void keep().then(start));
  }

  return {
    actionsOf,
    holder: (account, id) =>
      [...actionsOf(account, id).values()].reduce<Readonly<LastUse> | undefined>(
        (last, use) => (last === undefined || use.time > last.time ? use : last),
        undefined,
      ),
    key,
    start,
    keep,
    async close() {
      closed = true;
      timer?.cancel();
      await keep();
    },
  };
}

/** As responses show it; empty where the role was not used. */
export function roleLastUsed(use: Readonly<LastUse> | undefined) {
  return use === undefined ? {} : { LastUsedDate: new Date(use.time), Region: use.region };
}
