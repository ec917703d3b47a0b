import { setImmediate as nextTurn } from "node:timers/promises";
import type { Clock, Timer } from "#core/clock";
import type { Documents } from "#storage/documents";
import type { Journal } from "#storage/journal";
import type { LogGroupDocument } from "./store.ts";
import { groupKey, usageKey } from "./store.ts";

const DAY = 86_400_000;

/** The time (epoch ms) before which a group's events have expired; 0 for a group that keeps them for ever. */
export function retainedFrom(group: LogGroupDocument, now: number): number {
  return group.retentionInDays === undefined ? 0 : Math.max(0, now - group.retentionInDays * DAY);
}

export interface RetentionSweep {
  /** Sweeps now and then every `intervalMs`. */
  start(): void;
  /** One sweep: trims expired events and notes each group's stored bytes. */
  run(): Promise<void>;
  /** Ends the timer and waits for a sweep under way. */
  stop(): Promise<void>;
}

export interface RetentionSweepDeps {
  readonly documents: Documents;
  readonly journal: Journal;
  readonly clock: Clock;
  readonly onError: (error: unknown) => void;
  readonly intervalMs?: number;
}

/** Streams handled before other work gets a turn. */
const TURN = 500;

/** Obeys retention policies in the background. Readers leave expired events out by themselves, so a late sweep costs disk only. */
export function createRetentionSweep(deps: RetentionSweepDeps): RetentionSweep {
  const { documents, journal, clock, onError } = deps;
  const intervalMs = deps.intervalMs ?? 3_600_000;
  let timer: Timer | undefined;
  let running: Promise<void> | undefined;
  let stopped = false;

  async function sweep(): Promise<void> {
    const usage = new Map<
      string,
      { scope: { account: string; region: string }; group: string; bytes: number }
    >();
    let looked = 0;
    for (const name of journal.streams([])) {
      const [account, region, kind, group] = name;
      if (kind !== "logs" || group === undefined) continue;
      if (stopped) return;
      const document = documents.get<LogGroupDocument>(groupKey({ account, region }, group));
      if (document !== undefined) {
        const before = retainedFrom(document.value, clock.now());
        const first = journal.info(name)?.firstTime;
        if (first !== undefined && first < before) await journal.trim(name, before);
        const key = `${account}\0${region}\0${group}`;
        const entry = usage.get(key) ?? { scope: { account, region }, group, bytes: 0 };
        entry.bytes += journal.info(name)?.bytes ?? 0;
        usage.set(key, entry);
      }
      looked += 1;
      if (looked % TURN === 0) await nextTurn();
    }
    for (const { scope, group, bytes } of usage.values()) {
      const key = usageKey(scope, group);
      const known = documents.get<{ storedBytes: number }>(key)?.value.storedBytes ?? 0;
      const exists = documents.get(groupKey(scope, group)) !== undefined;
      if (exists && known !== bytes) await documents.commit([{ key, value: { storedBytes: bytes } }]);
    }
  }

  function run(): Promise<void> {
    running ??= sweep().finally(() => {
      running = undefined;
    });
    return running;
  }

  function start(): void {
    if (stopped) return;
    run()
      .catch(onError)
      .finally(() => {
        if (!stopped) timer = clock.after(intervalMs, start);
      });
  }

  async function stop(): Promise<void> {
    stopped = true;
    timer?.cancel();
    await running?.catch(() => undefined);
  }

  return { start, run, stop };
}
