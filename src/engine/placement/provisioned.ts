import type { Clock, Timer } from "#core/clock";
import type { FunctionConcurrency, FunctionSpec, ProvisionedState, UsageSink } from "../contract.ts";
import type { EnvironmentView, IdleEnvironment, InitResult } from "../environment/contract.ts";
import { MAX_AGE_MS } from "./age.ts";
import { ProvisionedSlot } from "./provisioned-slot.ts";
import { ProvisionedUsage } from "./provisioned-usage.ts";

/** AWS Lambda Developer Guide, "Lambda execution environment": 130 seconds or the function's timeout, whichever is longer. */
export function provisionedInitMs(timeoutMs: number): number {
  return Math.max(130_000, timeoutMs);
}

export interface ProvisionedStart {
  readonly spec: FunctionSpec;
  readonly initTimeoutMs: number;
  readonly onDeath: (environment: EnvironmentView) => void;
  readonly onInit: (result: InitResult) => void;
}

export interface ProvisionedOptions {
  readonly clock: Clock;
  readonly usage: UsageSink;
  /** Starts an environment. Rejects where none can be started now; otherwise `onInit` tells, once, how that went. */
  readonly start: (by: ProvisionedStart) => Promise<void>;
  /** Environments that may be initialised at the same time: allotments must not take the host from invocations. */
  readonly parallel: number;
}

/** What one alias or version was promised. */
interface Allotment {
  readonly targets: readonly { readonly slot: ProvisionedSlot; readonly count: number }[];
  /** Environments of the versions that an alias pointed to before: they go as those of the new version come. */
  readonly leaving: readonly ProvisionedSlot[];
}

/** AWS's reason where the function's own code fails to initialise, as its users quote it. */
const INIT_FAILURE = "FUNCTION_ERROR_INIT_FAILURE";

/** After so many failures in a row an allotment is FAILED; then it is tried again ever more rarely. */
const FAILURES = 3;
const FIRST_PAUSE_MS = 60_000;
const LONGEST_PAUSE_MS = 15 * 60_000;

/** How often it is looked for environments that have become too old. */
const RENEWAL_MS = 10 * 60_000;

/** Keeps as many environments initialised as were provisioned, whatever becomes of them. The pool knows nothing of them. */
export class Provisioned {
  readonly #options: ProvisionedOptions;
  readonly #usage: ProvisionedUsage;
  readonly #slots = new Map<string, ProvisionedSlot>();
  /** By unqualified function ARN, then by qualifier. */
  readonly #functions = new Map<string, Map<string, Allotment>>();
  readonly #timers = new Set<Timer>();
  #renewal: Timer | undefined;
  #starting = 0;
  #closed = false;

  constructor(options: ProvisionedOptions) {
    this.#options = options;
    this.#usage = new ProvisionedUsage(options.clock, options.usage);
  }

  /** Environments, those that are being initialised included. */
  get size(): number {
    return this.#sum((slot) => slot.allocated + slot.starting);
  }

  get busy(): number {
    return this.#sum((slot) => slot.busy);
  }

  /** The environments of a spec; undefined where it never had any. */
  slot(specId: string): ProvisionedSlot | undefined {
    return this.#slots.get(specId);
  }

  configure(concurrency: FunctionConcurrency): void {
    const { arn, provisioned } = concurrency;
    this.#usage.configure(concurrency);
    const before = this.#functions.get(arn) ?? new Map<string, Allotment>();
    const after = new Map<string, Allotment>();
    for (const { qualifier, targets } of provisioned) {
      const slots = targets.map(({ spec, count }) => ({ slot: this.#slotFor(spec, qualifier), count }));
      const old = before.get(qualifier);
      const leaving = [...(old?.targets.map(({ slot }) => slot) ?? []), ...(old?.leaving ?? [])].filter(
        (slot) => !slots.some((target) => target.slot === slot),
      );
      after.set(qualifier, { targets: slots, leaving: [...new Set(leaving)] });
    }
    if (after.size > 0) this.#functions.set(arn, after);
    else this.#functions.delete(arn);
    for (const slot of this.#slots.values()) if (slot.spec.arn === arn) slot.want = 0;
    for (const { targets } of after.values())
      for (const { slot, count } of targets) {
        slot.want += count;
        // A configuration that is put again is tried again at once.
        slot.failures = 0;
        slot.retryAt = 0;
      }
    this.#settle(arn);
    this.#fill();
  }

  state(arn: string, qualifier: string): ProvisionedState | undefined {
    const allotment = this.#functions.get(arn)?.get(qualifier);
    if (allotment === undefined) return undefined;
    const { targets, leaving } = allotment;
    const wanted = targets.reduce((sum, { count }) => sum + count, 0);
    const slots = [...targets.map(({ slot }) => slot), ...leaving];
    const allocated = slots.reduce((sum, slot) => sum + slot.allocated, 0);
    const available = slots.reduce((sum, slot) => sum + slot.available, 0);
    const failed = targets.find(({ slot }) => slot.failures >= FAILURES)?.slot;
    const complete = targets.every(({ slot, count }) => slot.allocated >= count);
    return {
      status: failed !== undefined ? "FAILED" : complete ? "READY" : "IN_PROGRESS",
      statusReason: failed?.failure,
      allocated: Math.min(wanted, allocated),
      available: Math.min(wanted, available),
    };
  }

  /** Puts an environment back that has served an invocation. */
  park(slot: ProvisionedSlot, environment: IdleEnvironment): void {
    if (this.#closed) void environment.kill();
    else {
      slot.park(environment);
      this.#drop(slot);
    }
  }

  /** Ends what a spec has, now or when it is done: it was deleted. */
  retire(specId: string): void {
    const slot = this.#slots.get(specId);
    if (slot === undefined) return;
    slot.want = 0;
    slot.keep(0);
    this.#drop(slot);
  }

  clear(): void {
    this.#usage.clear();
    this.#functions.clear();
    for (const specId of this.#slots.keys()) this.retire(specId);
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#usage.close();
    for (const timer of this.#timers) timer.cancel();
    this.#timers.clear();
    this.#renewal?.cancel();
    await Promise.all([...this.#slots.values()].map((slot) => slot.close()));
  }

  #slotFor(spec: FunctionSpec, qualifier: string): ProvisionedSlot {
    let slot = this.#slots.get(spec.id);
    if (slot === undefined) this.#slots.set(spec.id, (slot = new ProvisionedSlot(spec, qualifier)));
    // The name that its metrics bear: the version may have been handed from one alias to another.
    slot.qualifier = qualifier;
    return slot;
  }

  /** Ends what is not wanted any more; of a version that an alias left, as many stay as the new one still lacks. */
  #settle(arn: string): void {
    const allowed = new Map<ProvisionedSlot, number>();
    for (const { targets, leaving } of this.#functions.get(arn)?.values() ?? []) {
      let lacking = targets.reduce((sum, { slot, count }) => sum + Math.max(0, count - slot.allocated), 0);
      for (const slot of leaving) {
        const stay = Math.min(lacking, slot.allocated);
        allowed.set(slot, (allowed.get(slot) ?? 0) + stay);
        lacking -= stay;
      }
    }
    for (const slot of this.#slots.values()) {
      if (slot.spec.arn !== arn) continue;
      slot.keep(Math.max(slot.want, allowed.get(slot) ?? 0));
      this.#drop(slot);
    }
  }

  #drop(slot: ProvisionedSlot): void {
    if (slot.want === 0 && slot.allocated === 0 && slot.starting === 0) this.#slots.delete(slot.spec.id);
  }

  /** Starts what is missing, the longest waiting first, as far as it may. */
  #fill(): void {
    if (this.#closed) return;
    const now = this.#options.clock.monotonic();
    for (const slot of this.#slots.values())
      while (slot.missing > 0 && slot.retryAt <= now) {
        if (this.#starting >= this.#options.parallel) return;
        this.#start(slot);
      }
  }

  #start(slot: ProvisionedSlot): void {
    this.#starting++;
    slot.starting++;
    const { spec } = slot;
    const started = this.#options.start({
      spec,
      initTimeoutMs: provisionedInitMs(spec.timeoutMs),
      onDeath: (environment) => {
        if (!slot.remove(environment)) return;
        this.#drop(slot);
        this.#fill();
      },
      onInit: (result) => {
        if (result.kind === "ready") this.#ended(slot, result);
        else {
          const hostFailure = result.kind === "exit" ? result.exit.error?.message : undefined;
          this.#ended(slot, undefined, hostFailure ?? INIT_FAILURE);
        }
      },
    });
    started.catch((error: unknown) => {
      this.#ended(slot, undefined, error instanceof Error ? error.message : String(error));
    });
  }

  #ended(
    slot: ProvisionedSlot,
    ready: Extract<InitResult, { kind: "ready" }> | undefined,
    failure?: string,
  ): void {
    this.#starting--;
    slot.starting--;
    if (ready === undefined) this.#failed(slot, failure);
    else if (this.#closed) void ready.environment.kill();
    else {
      slot.failures = 0;
      slot.add(ready.environment, this.#options.clock.monotonic(), ready.initMs);
      this.#renewal ??= this.#options.clock.after(RENEWAL_MS, this.#renew);
    }
    this.#settle(slot.spec.arn);
    this.#fill();
  }

  #failed(slot: ProvisionedSlot, failure: string | undefined): void {
    slot.failures++;
    slot.failure = failure;
    if (slot.failures < FAILURES || this.#closed) return;
    const pause = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** (slot.failures - FAILURES));
    const { clock } = this.#options;
    slot.retryAt = clock.monotonic() + pause;
    const timer = clock.after(pause + 1, () => {
      this.#timers.delete(timer);
      this.#fill();
    });
    this.#timers.add(timer);
  }

  readonly #renew = (): void => {
    const { clock } = this.#options;
    for (const slot of this.#slots.values()) slot.renew(clock.monotonic() - MAX_AGE_MS);
    this.#renewal = this.#slots.size === 0 ? undefined : clock.after(RENEWAL_MS, this.#renew);
  };

  #sum(of: (slot: ProvisionedSlot) => number): number {
    let sum = 0;
    for (const slot of this.#slots.values()) sum += of(slot);
    return sum;
  }
}
