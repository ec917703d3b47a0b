import type { Clock } from "#core/clock";
import { afterReading } from "#core/event-loop";

export interface ShortWaitOptions<T> {
  readonly clock: Clock;
  /** No invocation waits longer than this for a busy environment, in milliseconds. */
  readonly boundMs: number;
  /** Only functions whose events take less than this on average have waiters, in milliseconds. */
  readonly shortMs: number;
  /** How many environments of a spec must be busy before anything waits for one of them. */
  readonly enoughBusy: number;
  /** Events may wait in one environment, behind the one that it serves, for so long as it is expected to take for them, in milliseconds. */
  readonly aheadMs: number;
  /** Told of a waiter that no environment came free for within the bound. */
  readonly onExpired: (waiter: T) => void;
}

/** What is known of one spec's environments that serve an event now. */
interface Spec<T> {
  busy: number;
  /** How long an event keeps an environment, in milliseconds: an exponentially weighted average. */
  averageMs: number;
  /** How many events have ended. */
  ended: number;
  /** How many more must end, none of them long, before any is given ahead again. */
  restless: number;
  readonly waiters: Entry<T>[];
}

interface Entry<T> {
  readonly spec: Spec<T>;
  readonly deadline: number;
  /** How many events of the spec had ended when its wait began. */
  readonly endedBefore: number;
  /** Undefined once it was served. */
  waiter: T | undefined;
}

/** The weight of the newest event. Small, and no event counts for more than so many short ones, so that one pause of the host does not pass for a slower function. */
const WEIGHT = 1 / 32;
const MOST_SHORTS = 4;

/** One event that takes so long in milliseconds holds up all behind it, and tells that others of its function may. */
const LONG_MS = 10;
const CALM_EVENTS = 1000;

/** The most that one environment is given ahead: more cannot matter, and all of it is in the guest's memory. */
const MOST_AHEAD = 32;

/**
 * Lets invocations of very short functions wait for a busy environment instead of waking another one.
 *
 * AWS gives every concurrent event an environment of its own, on machines of its own. Here they share the host's cores:
 * with more environments awake than cores, each event costs a context switch and cold caches, and nothing ends sooner.
 * Measured with a function of 0.05 ms on two cores and 16 connections: 3 environments used in turn take half the
 * processor time an event that 16 take, and serve a third more events a second; with fewer, a core waits for the platform.
 *
 * An invocation waits only where a busy environment is expected to come free within `boundMs` (the spec's average times
 * those that wait before it, over the environments at work), first come first served, and never longer than that: then
 * it is placed as if it had not waited. One that waits counts as concurrent.
 *
 * What an event takes is told by the guest's own clock. By the platform's, each event of a busy host lasts at least one
 * turn of its event loop, and a function of 0.05 ms that 16 connections call passes for one of 2.6 ms.
 */
export class ShortWait<T> {
  readonly #options: ShortWaitOptions<T>;
  readonly #specs = new Map<string, Spec<T>>();
  /** All waiters in the order in which their bounds end; those already served are dropped when they come up. */
  #queue: Entry<T>[] = [];
  /** Whether the timer runs: one for all waiters, which is looked at when it fires, not set and cleared for each. */
  #ticking = false;

  constructor(options: ShortWaitOptions<T>) {
    this.#options = options;
  }

  /** Whether `waiter` now waits: `freed`, `next` or `onExpired` hands it back, once. */
  tryWait(specId: string, waiter: T): boolean {
    const { clock, boundMs, shortMs, enoughBusy } = this.#options;
    const spec = this.#specs.get(specId);
    if (spec === undefined || spec.busy < enoughBusy || spec.averageMs >= shortMs) return false;
    if ((spec.waiters.length + 1) * spec.averageMs > boundMs * spec.busy) return false;
    const entry = { spec, deadline: clock.monotonic() + boundMs, endedBefore: spec.ended, waiter };
    spec.waiters.push(entry);
    this.#queue.push(entry);
    if (!this.#ticking) {
      this.#ticking = true;
      clock.after(boundMs, this.#tick);
    }
    return true;
  }

  /**
   * How many events one environment of the spec may have beside the one that it serves. Very short ones cost less in the
   * guest than its waking for each does in the platform; no environment of a function that is not short is given any.
   */
  room(specId: string): number {
    const { aheadMs, shortMs } = this.#options;
    const spec = this.#specs.get(specId);
    if (spec === undefined || spec.restless > 0 || spec.averageMs >= shortMs) return 0;
    return Math.min(MOST_AHEAD, Math.floor(aheadMs / spec.averageMs));
  }

  /** An idle environment of the spec was given an event. */
  began(specId: string): void {
    const spec = this.#specs.get(specId);
    if (spec !== undefined) spec.busy++;
    else this.#specs.set(specId, { busy: 1, averageMs: this.#mostMs, ended: 0, restless: 0, waiters: [] });
  }

  /** An event is over. */
  ended(specId: string, tookMs: number): void {
    const spec = this.#specs.get(specId);
    if (spec === undefined) return;
    spec.averageMs += (Math.min(tookMs, this.#mostMs) - spec.averageMs) * WEIGHT;
    spec.ended++;
    if (tookMs >= LONG_MS) spec.restless = CALM_EVENTS;
    else if (spec.restless > 0) spec.restless--;
  }

  /** An environment of the spec has no event any more. @returns the waiter whose turn it is, to be given an environment now */
  freed(specId: string): T | undefined {
    const spec = this.#specs.get(specId);
    if (spec === undefined) return undefined;
    spec.busy--;
    return this.#mayRest(spec) ? undefined : this.next(specId);
  }

  /** The waiter whose turn it is, if there is one: it waits no longer. */
  next(specId: string): T | undefined {
    const entry = this.#specs.get(specId)?.waiters.shift();
    if (entry === undefined) return undefined;
    const { waiter } = entry;
    entry.waiter = undefined;
    return waiter;
  }

  /** What an event counts for at most, and before any has ended. */
  get #mostMs(): number {
    return this.#options.shortMs * MOST_SHORTS;
  }

  /** Drops what was learnt of a spec that has no environment any more. */
  forget(specId: string): void {
    this.#specs.delete(specId);
  }

  /** Whether those still busy are enough for all that wait: then one that came free is left to rest, so that few stay awake. */
  #mayRest({ busy, waiters, averageMs }: Spec<T>): boolean {
    const { boundMs, enoughBusy } = this.#options;
    return busy >= enoughBusy && waiters.length * averageMs < (boundMs / 2) * busy;
  }

  /**
   * A platform that was busy for longer than the bound has answers to read that it would have served the waiters with. They
   * are read in the first turn, and their environments are free at its end.
   */
  readonly #tick = (): void => {
    afterReading(this.#expire);
  };

  readonly #expire = (): void => {
    const { clock, onExpired, shortMs } = this.#options;
    const now = clock.monotonic();
    const queue = this.#queue;
    let at = 0;
    const expired: T[] = [];
    for (; at < queue.length; at++) {
      const { spec, deadline, endedBefore, waiter } = queue[at] as Entry<T>;
      if (waiter === undefined) continue;
      if (deadline > now) break;
      // Bounds end in the order of arrival, so this is the first of its spec's waiters.
      spec.waiters.shift();
      expired.push(waiter);
      // Not one event has ended meanwhile: it is not short any more, until its events tell otherwise.
      if (spec.ended === endedBefore) spec.averageMs = Math.max(spec.averageMs, shortMs);
    }
    this.#queue = queue.slice(at);
    const [next] = this.#queue;
    this.#ticking = next !== undefined;
    if (next !== undefined) clock.after(next.deadline - now, this.#tick);
    // Last: whoever is told may come straight back with another one.
    for (const waiter of expired) onExpired(waiter);
  };
}
