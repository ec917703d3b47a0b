import type { Clock } from "#core/clock";
import type { Scope } from "./scope.ts";
import type { SamplingRuleDocument } from "./sampling.ts";

export interface SamplingCounts {
  readonly requests: number;
  readonly sampled: number;
  readonly borrowed: number;
}

/** What a client may sample of a rule's reservoir. */
export interface Quota {
  /** Each second. */
  readonly requests: number;
  /** Epoch milliseconds. */
  readonly until: number;
  readonly intervalSeconds: number;
}

interface RuleUse {
  readonly scope: string;
  readonly rule: string;
  /** Clients that asked lately, with the time of it. */
  readonly clients: Map<string, number>;
  time: number;
  counts: SamplingCounts;
}

/** Clients report, and are given a share, every ten seconds; one that was silent for longer has no share. */
const INTERVAL_SECONDS = 10;
const SILENT_MS = 3 * INTERVAL_SECONDS * 1000;
/** Rules and clients that are remembered at most: clients name themselves. */
const MOST_RULES = 1000;
const MOST_CLIENTS = 1000;

/** Divides the reservoirs of sampling rules among the clients that use them. What it knows is of minutes, and in memory alone. */
export class Reservoirs {
  readonly #clock: Clock;
  readonly #uses = new Map<string, RuleUse>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Takes what a client did since its last report. @returns its share until the next one */
  report(
    scope: Scope,
    { name, reservoirSize }: SamplingRuleDocument,
    client: string,
    counts: SamplingCounts,
  ): Quota {
    const now = this.#clock.now();
    const use = this.#useOf(scope, name);
    const before = use.counts;
    use.time = now;
    use.counts = {
      requests: before.requests + counts.requests,
      sampled: before.sampled + counts.sampled,
      borrowed: before.borrowed + counts.borrowed,
    };
    for (const [other, time] of use.clients) if (now - time > SILENT_MS) use.clients.delete(other);
    if (use.clients.size < MOST_CLIENTS || use.clients.has(client)) use.clients.set(client, now);
    const position = Math.max(0, [...use.clients.keys()].indexOf(client));
    // What does not divide goes to the first of them: together they never sample more than the reservoir holds.
    const share = Math.floor(reservoirSize / use.clients.size);
    const more = position < reservoirSize % use.clients.size ? 1 : 0;
    return {
      requests: share + more,
      until: now + INTERVAL_SECONDS * 1000,
      intervalSeconds: INTERVAL_SECONDS,
    };
  }

  *summaries(
    scope: Scope,
  ): Generator<{ readonly rule: string; readonly time: number; readonly counts: SamplingCounts }> {
    for (const use of this.#uses.values())
      if (use.scope === scopeName(scope)) yield { rule: use.rule, time: use.time, counts: use.counts };
  }

  reset(): void {
    this.#uses.clear();
  }

  #useOf(scope: Scope, rule: string): RuleUse {
    const key = `${scopeName(scope)} ${rule}`;
    let use = this.#uses.get(key);
    if (use === undefined) {
      if (this.#uses.size >= MOST_RULES) this.#uses.clear();
      use = {
        scope: scopeName(scope),
        rule,
        clients: new Map(),
        time: 0,
        counts: { requests: 0, sampled: 0, borrowed: 0 },
      };
      this.#uses.set(key, use);
    }
    return use;
  }
}

function scopeName({ account, region }: Scope): string {
  return `${account} ${region}`;
}
