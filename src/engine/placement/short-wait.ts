import type { Clock } from "#core/clock";

export interface ShortWaitOptions<T> {
  readonly clock: Clock;
  /** No invocation waits longer than this for a busy environment, in milliseconds. */
  readonly boundMs: number;
  /** Only functions whose environments are busy for less than this on average have waiters, in milliseconds. */
  readonly shortMs: number;
  /** How many environments of a spec must be busy before anything waits for one of them. */
  readonly enoughBusy: number;
  /** Told of a waiter that no environment came free for within the bound. */
  readonly onExpired: (waiter: T) => void;
}

/** What is known of one spec's environments that serve an event now. */
interface Spec<T> {
  busy: number;
  /** How long an event keeps an environment while few are busy, in milliseconds: an exponentially weighted average. */
  averageMs: number;
  readonly waiters: Entry<T>[];
  /** The trial under way: how many more events it takes. 0 outside of one. */
  trial: number;
  /** When the next trial may begin, in monotonic milliseconds, and how long the one after it waits if that fails. */
  trialAt: number;
  pauseMs: number;
}

interface Entry<T> {
  readonly spec: Spec<T>;
  readonly deadline: number;
  /** Undefined once it was served. */
  waiter: T | undefined;
}

/**
 * The weight of the newest event. Small, and no event counts for more than the bound, so that one pause of the host,
 * which slows all events under way, does not pass for a slower function. What takes longer than the average weighs even
 * less, for a host that is busy with other things adds to many events and takes from none.
 */
const WEIGHT = 1 / 32;
const SLOWER_WEIGHT = WEIGHT / 4;

/** A trial ends after so many events; the next one begins a pause later, which grows from the first to the longest. */
const TRIAL_EVENTS = 64;
const FIRST_PAUSE_MS = 50;
const LONGEST_PAUSE_MS = 10_000;

/**
 * Lets invocations of very short functions wait for a busy environment instead of waking another one.
 *
 * AWS gives every concurrent event an environment of its own, on machines of its own. Here they share the host's cores:
 * with more environments awake than cores, each event costs a context switch and cold caches, and nothing ends sooner.
 * Measured with a function of 0.05 ms on two cores and 16 connections: 4 environments used in turn take half the
 * processor time an event that 16 take, and serve a third more events a second.
 *
 * An invocation waits only where a busy environment is expected to come free within `boundMs` (the spec's average times
 * those that wait before it, over the environments at work), first come first served, and never longer than that: then
 * it is placed as if it had not waited. One that waits counts as concurrent.
 *
 * What an event takes is learnt only while few environments are busy: among many, it waits for the processor more than
 * it runs (with 16 connections, 2.6 ms of the same 0.05 ms), so that a short function which many environments were
 * started for at first would pass for a long one for ever. Where there are always many, a short trial is held now and
 * then: invocations wait as if the function were short, and if it is, few environments are busy at once, and its events
 * tell. The first wait that ends in vain ends a trial; a function that is not short waits at no other time.
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

  /** Whether `waiter` now waits: `ended` or `onExpired` hands it back, once. */
  tryWait(specId: string, waiter: T): boolean {
    const { clock, boundMs, shortMs, enoughBusy } = this.#options;
    const spec = this.#specs.get(specId);
    if (spec === undefined || spec.busy < enoughBusy) return false;
    const now = clock.monotonic();
    if (spec.averageMs >= shortMs && !onTrial(spec, now)) return false;
    if ((spec.waiters.length + 1) * this.#expectedMs(spec) > boundMs * spec.busy) return false;
    const entry = { spec, deadline: now + boundMs, waiter };
    spec.waiters.push(entry);
    this.#queue.push(entry);
    if (!this.#ticking) {
      this.#ticking = true;
      clock.after(boundMs, this.#expire);
    }
    return true;
  }

  /** An environment of the spec was given an event. */
  began(specId: string): void {
    const spec = this.#specs.get(specId);
    if (spec !== undefined) spec.busy++;
    else
      this.#specs.set(specId, {
        busy: 1,
        averageMs: this.#options.boundMs,
        waiters: [],
        trial: 0,
        trialAt: this.#options.clock.monotonic() + FIRST_PAUSE_MS,
        pauseMs: FIRST_PAUSE_MS,
      });
  }

  /** That event is over. @returns the waiter whose turn it is, to be given an environment now */
  ended(specId: string, busyMs: number): T | undefined {
    const spec = this.#specs.get(specId);
    if (spec === undefined) return undefined;
    if (spec.busy <= this.#options.enoughBusy) this.#learn(spec, busyMs);
    spec.busy--;
    if (spec.trial > 0 && --spec.trial === 0) this.#endTrial(spec);
    if (this.#mayRest(spec)) return undefined;
    const entry = spec.waiters.shift();
    if (entry === undefined) return undefined;
    const { waiter } = entry;
    entry.waiter = undefined;
    return waiter;
  }

  /** Drops what was learnt of a spec that has no environment any more. */
  forget(specId: string): void {
    this.#specs.delete(specId);
  }

  /** How long an event is expected to keep an environment; what a trial is held for is that it is well below the limit. */
  #expectedMs({ averageMs }: Spec<T>): number {
    const { shortMs } = this.#options;
    return averageMs < shortMs ? averageMs : shortMs / 4;
  }

  /** Whether those still busy are enough for all that wait: then one that came free is left to rest, so that few stay awake. */
  #mayRest(spec: Spec<T>): boolean {
    const { boundMs, enoughBusy } = this.#options;
    return (
      spec.busy >= enoughBusy && spec.waiters.length * this.#expectedMs(spec) < (boundMs / 2) * spec.busy
    );
  }

  #learn(spec: Spec<T>, busyMs: number): void {
    const more = Math.min(busyMs, this.#options.boundMs) - spec.averageMs;
    spec.averageMs += more * (more > 0 ? SLOWER_WEIGHT : WEIGHT);
  }

  #endTrial(spec: Spec<T>): void {
    const short = spec.averageMs < this.#options.shortMs;
    spec.trial = 0;
    spec.trialAt = this.#options.clock.monotonic() + spec.pauseMs;
    spec.pauseMs = short ? FIRST_PAUSE_MS : Math.min(2 * spec.pauseMs, LONGEST_PAUSE_MS);
  }

  readonly #expire = (): void => {
    const { clock, onExpired, boundMs } = this.#options;
    const now = clock.monotonic();
    const queue = this.#queue;
    let at = 0;
    const expired: T[] = [];
    for (; at < queue.length; at++) {
      const { spec, deadline, waiter } = queue[at] as Entry<T>;
      if (waiter === undefined) continue;
      if (deadline > now) break;
      // Bounds end in the order of arrival, so this is the first of its spec's waiters.
      spec.waiters.shift();
      expired.push(waiter);
      // Whatever its events seem to take: no environment came free.
      spec.averageMs += (boundMs - spec.averageMs) * WEIGHT;
      if (spec.trial > 0) this.#endTrial(spec);
    }
    this.#queue = queue.slice(at);
    const [next] = this.#queue;
    this.#ticking = next !== undefined;
    if (next !== undefined) clock.after(next.deadline - now, this.#expire);
    // Last: whoever is told may come straight back with another one.
    for (const waiter of expired) onExpired(waiter);
  };
}

/** Whether a trial is under way, or begins. */
function onTrial(spec: Spec<unknown>, now: number): boolean {
  if (spec.trial === 0 && now >= spec.trialAt) spec.trial = TRIAL_EVENTS;
  return spec.trial > 0;
}
