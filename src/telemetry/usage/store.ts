import { setImmediate as nextTurn } from "node:timers/promises";
import type { Clock } from "#core/clock";
import { Rounds } from "#core/rounds";
import type { DocumentKey, Documents } from "#storage/documents";
import type { Journal, StreamName } from "#storage/journal";
import { Packer } from "../packed.ts";
import { readUsageRecord, writeUsageRecord } from "./log.ts";
import { FunctionUsage } from "./meter.ts";
import { dayOf, noUsage, type Usage, USAGE_FIELDS, type UsageEntry, type UsageOwner } from "./usage.ts";

export interface UsageStoreOptions {
  readonly documents: Documents;
  readonly journal: Pick<Journal, "append" | "read" | "trim">;
  readonly clock: Clock;
  readonly onError: (error: unknown) => void;
}

export interface UsageRange {
  /** Days since 1970, both inclusive. */
  readonly from: number;
  readonly to: number;
  /** Of one function alone. */
  readonly name?: string | undefined;
}

/** Under the platform's own name, by day: documents can only be listed of an account that one knows. */
const KIND = ["platform", "global", "usage"] as const;
const STREAM: StreamName = KIND;

/** As much as a crash may lose. */
const LOG_MS = 1000;

/** How long usage stays in the log before it becomes documents. */
const SEAL_MS = 5 * 60_000;

/** So many days are kept: 13 months, as AWS's Cost Explorer shows them. */
const KEPT_DAYS = 400;

/** Entries that are worked on before other work gets a turn. */
const TURN = 100;

/** A log record is closed when it is this long. */
const RECORD_BYTES = 64 * 1024;

/**
 * What functions used, by day, kept over restarts and crashes. Every second what has changed is logged with what it has
 * come to, every five minutes that becomes documents: ten thousand functions that run all the time cost a few hundred
 * kilobytes a second of log, not as many documents.
 */
export class UsageStore {
  readonly #options: UsageStoreOptions;
  readonly #held = new Map<string, UsageEntry>();
  /** Changed since it was logged, and since it was last a document. */
  #unlogged = new Set<UsageEntry>();
  readonly #unsaved = new Set<UsageEntry>();
  /** One thing at a time happens to storage. */
  readonly #rounds: Rounds;
  #sealedAt: number;
  #sweptOn = -1;
  #resets = 0;

  constructor(options: UsageStoreOptions) {
    this.#options = options;
    const { clock, onError } = options;
    this.#sealedAt = clock.now();
    this.#rounds = new Rounds({ clock, everyMs: LOG_MS, round: () => this.#round(), onError });
  }

  /** The usage of one function, to be kept by whoever counts it. */
  meter(account: string, region: string, name: string): FunctionUsage {
    return new FunctionUsage(this, { account, region, name });
  }

  /** Takes up what the last run logged, and begins to log. */
  start(): Promise<void> {
    return this.#rounds.start(() => this.#recover());
  }

  /** A function's day, as far as it has come. */
  entry(owner: UsageOwner, day: number): UsageEntry {
    const key = keyOf(owner, day);
    const id = key.join("\n");
    let entry = this.#held.get(id);
    if (entry === undefined) {
      const usage = usageOf(this.#options.documents.get<readonly number[]>(key)?.value);
      this.#held.set(id, (entry = { owner, day, usage, gone: false }));
    }
    return entry;
  }

  /** Told of every change of an entry. */
  changed(entry: UsageEntry): void {
    this.#unlogged.add(entry);
    this.#unsaved.add(entry);
  }

  /** Visits all days of a range that hold usage, in no order. */
  async each(
    { from, to, name }: UsageRange,
    visit: (owner: UsageOwner, day: number, usage: Readonly<Usage>) => void,
  ): Promise<void> {
    const held = new Map(this.#held);
    const wanted = (owner: UsageOwner, day: number) =>
      day >= from && day <= to && (name === undefined || owner.name === name);
    for await (const { key, value } of this.#documents([...KIND, from])) {
      const { owner, day } = ownerIn(key);
      if (day > to) break;
      if (wanted(owner, day) && !held.has(key.join("\n"))) visit(owner, day, usageOf(value));
    }
    for (const { owner, day, usage } of held.values()) if (wanted(owner, day)) visit(owner, day, usage);
  }

  /** Logs what was counted so far: it outlives a crash from then on. */
  settle(): Promise<void> {
    return this.#rounds.run(() => this.#log()).catch(this.#options.onError);
  }

  /** Makes documents of everything. */
  seal(): Promise<void> {
    return this.#rounds.run(() => this.#logAndSeal());
  }

  /** Forgets what is in memory, after storage was emptied. */
  reset(): void {
    this.#resets++;
    for (const entry of this.#held.values()) entry.gone = true;
    this.#held.clear();
    this.#unlogged.clear();
    this.#unsaved.clear();
  }

  /** Writes what is left. */
  close(): Promise<void> {
    return this.#rounds.close(() => this.#logAndSeal());
  }

  async #round(): Promise<void> {
    await this.#log();
    if (this.#options.clock.now() >= this.#sealedAt + SEAL_MS) await this.#seal();
  }

  async #logAndSeal(): Promise<void> {
    await this.#log();
    await this.#seal();
  }

  async #log(): Promise<void> {
    if (this.#unlogged.size === 0) return;
    const batch = this.#unlogged;
    const resets = this.#resets;
    this.#unlogged = new Set();
    const time = this.#options.clock.now();
    const records: { time: number; body: Uint8Array }[] = [];
    let packer = new Packer();
    for (const { owner, day, usage } of batch) {
      writeUsageRecord(packer, owner, day, usage);
      if (packer.length < RECORD_BYTES) continue;
      records.push({ time, body: packer.bytes() });
      packer = new Packer();
      // What grows meanwhile is in the next batch, too.
      await nextTurn();
    }
    if (packer.length > 0) records.push({ time, body: packer.bytes() });
    // Storage was emptied meanwhile, and is not to hold what was counted before.
    if (resets !== this.#resets) return;
    try {
      await this.#options.journal.append([{ stream: STREAM, records }]);
    } catch (error) {
      for (const entry of batch) if (!entry.gone) this.#unlogged.add(entry);
      throw error;
    }
  }

  /**
   * Writes documents of what was logged, then forgets the log. An entry may have grown since it was logged: its document
   * is ahead of the log then, which is why what is recovered is whichever is larger.
   */
  async #seal(): Promise<void> {
    const { documents, journal, clock } = this.#options;
    const before = clock.now();
    this.#sealedAt = before;
    const entries = [...this.#unsaved];
    for (let at = 0; at < entries.length; at += TURN) {
      const some = entries.slice(at, at + TURN).filter((entry) => !entry.gone);
      for (const entry of some) this.#unsaved.delete(entry);
      try {
        if (some.length > 0)
          await documents.commit(
            some.map(({ owner, day, usage }) => ({
              key: keyOf(owner, day),
              value: USAGE_FIELDS.map((field) => usage[field]),
            })),
          );
      } catch (error) {
        for (const entry of some) if (!entry.gone) this.#unsaved.add(entry);
        throw error;
      }
      await nextTurn();
    }
    await journal.trim(STREAM, before);
    this.#letGo();
    await this.#sweep(dayOf(before));
  }

  /** Holds no longer what is saved: with the function's next request it comes back from its document. */
  #letGo(): void {
    for (const [id, entry] of this.#held) {
      if (this.#unsaved.has(entry) || this.#unlogged.has(entry)) continue;
      entry.gone = true;
      this.#held.delete(id);
    }
  }

  /** Deletes, once a day, what is too old. */
  async #sweep(today: number): Promise<void> {
    if (today === this.#sweptOn) return;
    this.#sweptOn = today;
    let old: DocumentKey[] = [];
    const remove = async () => {
      if (old.length > 0)
        await this.#options.documents.commit(old.map((key) => ({ key, delete: true as const })));
      old = [];
    };
    for await (const { key } of this.#documents(undefined)) {
      if (ownerIn(key).day > today - KEPT_DAYS) break;
      old.push(key);
      if (old.length >= TURN) await remove();
    }
    await remove();
  }

  async #recover(): Promise<void> {
    const { journal } = this.#options;
    let afterSequence = -1;
    for (;;) {
      const records = await journal.read(STREAM, { afterSequence, limit: 16 });
      for (const { body, sequence } of records) {
        for (const { owner, day, usage } of readUsageRecord(body)) {
          const entry = this.entry(owner, day);
          for (const field of USAGE_FIELDS) entry.usage[field] = Math.max(entry.usage[field], usage[field]);
          this.#unsaved.add(entry);
        }
        afterSequence = sequence;
      }
      if (records.length === 0) return;
      await nextTurn();
    }
  }

  /** Documents in the order of their days, some at a time. @param after where to begin */
  async *#documents(after: DocumentKey | undefined) {
    let last = after;
    for (;;) {
      const some = [
        ...this.#options.documents.list<readonly number[]>(KIND, {
          limit: TURN,
          ...(last === undefined ? {} : { after: last }),
        }),
      ];
      yield* some;
      last = some.at(-1)?.key;
      if (last === undefined || some.length < TURN) return;
      await nextTurn();
    }
  }
}

function keyOf({ account, region, name, architecture }: UsageOwner, day: number): DocumentKey {
  return [...KIND, day, account, region, name, architecture];
}

function ownerIn(key: DocumentKey): { readonly owner: UsageOwner; readonly day: number } {
  const [, , , day, account, region, name, architecture] = key;
  return {
    owner: {
      account: String(account),
      region: String(region),
      name: String(name),
      architecture: architecture === "arm64" ? "arm64" : "x86_64",
    },
    day: Number(day),
  };
}

function usageOf(stored: readonly number[] | undefined): Usage {
  const usage = noUsage();
  for (const [at, field] of USAGE_FIELDS.entries()) usage[field] = stored?.[at] ?? 0;
  return usage;
}
