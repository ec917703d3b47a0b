import { availableParallelism } from "node:os";
import type { Clock } from "#core/clock";
import { throttled } from "../concurrency/throttle.ts";
import type {
  EnvironmentView,
  IdleEnvironment,
  InitResult,
  PrefetchingEnvironment,
} from "../environment/contract.ts";
import type { Execution } from "../invocation/execution.ts";
import { describeInitFailure } from "../invocation/init-failure.ts";
import { cannotStart, shuttingDown } from "../invocation/service-exception.ts";
import type { RestoreResult } from "../snapshots/restore.ts";
import { isRestored } from "../snapshots/snapshots.ts";
import type { Snapshots } from "../snapshots/snapshots.ts";
import type { ColdStarter, Prepared } from "./cold-start.ts";
import { BusyEnvironments } from "./busy-environments.ts";
import { provisionedInitMs } from "./provisioned.ts";
import { Pool } from "./pool.ts";
import { ShortWait } from "./short-wait.ts";

/** AWS ends an on-demand init phase after 10 seconds and repeats it within the invocation. */
const INIT_LIMIT_MS = 10_000;

/** An invocation of a function that takes less than `SHORT_MS` may wait for a busy environment for up to `WAIT_BOUND_MS`: less than a start takes. */
const SHORT_MS = 0.5;
const WAIT_BOUND_MS = 20;

/** How long the events are expected to take that one environment is given ahead: more would wait while a core is idle. */
const AHEAD_MS = 2;

export interface OnDemandOptions {
  readonly clock: Clock;
  readonly starter: ColdStarter;
  readonly snapshots: Snapshots;
  /** Environments of this node, idle and busy, the provisioned ones included. */
  readonly maxEnvironments: number;
  /** How many provisioned ones there are. */
  readonly provisioned: () => number;
  /** An idle environment that served nothing for this long is ended. */
  readonly idleMs: number;
  /** Told of an invocation that no environment could be had for. */
  readonly onRefused: (execution: Execution, error: unknown) => void;
}

/** Finds invocations their environments: an idle one, one that comes free at once, one that was initialised ahead, or a new one. */
export class OnDemand {
  readonly #options: OnDemandOptions;
  readonly #pool: Pool;
  readonly #waiting: ShortWait<Execution>;
  readonly #busy = new BusyEnvironments();
  /** Nothing may start any more. */
  #ended = false;

  constructor(options: OnDemandOptions) {
    const { clock, maxEnvironments, idleMs } = options;
    this.#options = options;
    this.#pool = new Pool({
      clock,
      maxEnvironments,
      idleMs,
      onLast: (specId) => this.#waiting.forget(specId),
    });
    this.#waiting = new ShortWait({
      clock,
      boundMs: WAIT_BOUND_MS,
      shortMs: SHORT_MS,
      // Every core has one, and one has its next event when another ends.
      enoughBusy: availableParallelism() + 1,
      aheadMs: AHEAD_MS,
      onExpired: (execution) => this.#place(execution),
    });
  }

  get size(): number {
    return this.#pool.size;
  }

  get busy(): number {
    return this.#pool.busy;
  }

  /** Sees to it that the invocation begins, or is refused. */
  serve(execution: Execution): void {
    const { spec, tenantId } = execution.invocation;
    // Waiting for a busy environment, or in one, is for those that may have any of the spec's.
    if (this.#prefetch(execution)) return;
    if (tenantId !== undefined || !this.#waiting.tryWait(spec.id, execution)) this.#place(execution);
  }

  /** The invocation has left its environment, which may serve the next one. */
  left({ busyMs, invocation }: Execution, environment: EnvironmentView): void {
    if (busyMs === undefined || invocation.tenantId !== undefined) {
      const idle = environment.idle();
      if (idle !== undefined) this.#pool.park(idle);
      return;
    }
    this.#waiting.ended(invocation.spec.id, busyMs);
    this.#next(invocation.spec.id, environment);
  }

  /** The invocation was prefetched into an environment that will not begin it. */
  returned(execution: Execution, environment: EnvironmentView): void {
    this.#next(execution.invocation.spec.id, environment);
    this.#place(execution);
  }

  /** An environment that serves any of its spec has come to the end of an event. */
  #next(specId: string, environment: EnvironmentView): void {
    const prefetching = environment.prefetching();
    if (prefetching !== undefined) return this.#fill(specId, prefetching);
    const idle = environment.idle();
    // It is at its next event.
    if (idle === undefined && !environment.dead) return;
    if (!this.#busy.remove(environment)) return;
    const next = this.#waiting.freed(specId);
    if (next !== undefined && idle !== undefined) return this.#begin(next, idle);
    if (idle !== undefined) this.#pool.park(idle);
    if (next !== undefined) this.#place(next);
  }

  /** Gives an environment that is at its next event already another one behind it, where some wait. */
  #fill(specId: string, environment: PrefetchingEnvironment): void {
    if (environment.prefetched >= this.#waiting.room(specId) || !this.#pool.mayServe(environment)) return;
    const next = this.#waiting.next(specId);
    if (next === undefined) return;
    if (next.prefetchable) next.prefetch(environment);
    else this.#place(next);
  }

  /** Gives an invocation of a very short function to a busy environment, to be begun next. */
  #prefetch(execution: Execution): boolean {
    const { id } = execution.invocation.spec;
    const room = this.#waiting.room(id);
    const environment = room > 0 && execution.prefetchable ? this.#busy.least(id, room) : undefined;
    if (environment === undefined || !this.#pool.mayServe(environment)) return false;
    execution.prefetch(environment);
    return true;
  }

  /** Whether one more may start, once an idle one was ended where that is needed. @param others places that are taken elsewhere */
  makeRoom(others: number): boolean {
    return this.#pool.makeRoom(others);
  }

  retire(specId: string): void {
    this.#pool.retire(specId);
  }

  retireAll(): void {
    this.#pool.retireAll();
  }

  async close(): Promise<void> {
    this.#ended = true;
    await this.#pool.close();
  }

  /** Gives an invocation an idle environment, or a new one. */
  #place(execution: Execution): void {
    const { spec, tenantId } = execution.invocation;
    const idle = this.#pool.take(spec.id, tenantId);
    if (idle !== undefined) this.#begin(execution, idle);
    else this.#cold(execution).catch((error: unknown) => this.#options.onRefused(execution, error));
  }

  #begin(execution: Execution, environment: IdleEnvironment): void {
    if (execution.invocation.tenantId === undefined) {
      this.#waiting.began(environment.specId);
      this.#busy.add(environment);
    }
    execution.begin(environment);
  }

  async #cold(execution: Execution): Promise<void> {
    const { spec } = execution.invocation;
    const prepared = await this.#options.starter.prepare(spec).catch((error: unknown) => {
      // What it waits for ends with the engine, and fails by that.
      throw this.#ended ? shuttingDown() : error;
    });
    // One of the same spec may have come free while the code was unpacked.
    const idle = this.#pool.take(spec.id, execution.invocation.tenantId);
    if (idle !== undefined) return this.#begin(execution, idle);
    if (this.#ended) throw shuttingDown();
    const { tenantId } = execution.invocation;
    if (spec.snapStart === true && tenantId === undefined && this.#restore(execution)) return;
    this.#start(execution, prepared, "init");
  }

  /** Begins in an environment that was initialised ahead by SnapStart; `false` where none is ready. */
  #restore(execution: Execution): boolean {
    const { spec } = execution.invocation;
    const ready = this.#options.snapshots.has(spec.id);
    if (ready) {
      this.#requireRoom(execution, "init");
      const environment = this.#options.snapshots.restore(spec.id, {
        onDeath: (dead) => this.#pool.remove(dead),
        onRestored: (result) => this.#restored(execution, result),
      });
      this.#pool.add(environment);
    }
    this.#options.snapshots.ensure(spec);
    return ready;
  }

  #restored(execution: Execution, result: RestoreResult): void {
    if (result.kind === "failed")
      return this.#options.onRefused(execution, this.#ended ? shuttingDown() : result.error);
    execution.restoreMs = result.restoreMs;
    this.#begin(execution, result.environment);
  }

  /** @throws AwsError where no more environments may be started now */
  #requireRoom(execution: Execution, phase: "init" | "invoke"): void {
    if (phase === "init") {
      const throttle = execution.admission?.gate.scale(this.#options.clock.monotonic());
      if (throttle !== undefined) throw throttled(throttle);
    }
    if (!this.#pool.makeRoom(this.#options.provisioned()))
      throw throttled({ reason: "ConcurrentInvocationLimitExceeded", waitMs: undefined });
  }

  #start(execution: Execution, prepared: Prepared, phase: "init" | "invoke", logStream?: string): void {
    const { spec, tenantId, tail } = execution.invocation;
    this.#requireRoom(execution, phase);
    const restored = isRestored(spec, prepared);
    const initLimitMs = restored ? provisionedInitMs(spec.timeoutMs) : INIT_LIMIT_MS;
    const environment = this.#options.starter.start(
      {
        spec,
        tenantId,
        prepared,
        phase,
        logStream,
        initializationType: restored ? "snap-start" : "on-demand",
        tail,
        initTimeoutMs: phase === "init" ? initLimitMs : spec.timeoutMs,
        onDeath: (dead) => this.#pool.remove(dead),
      },
      (result, started) => {
        try {
          this.#initialised(execution, prepared, phase, result, started);
        } catch (error) {
          this.#options.onRefused(execution, error);
        }
      },
    );
    this.#pool.add(environment);
  }

  #initialised(
    execution: Execution,
    prepared: Prepared,
    phase: "init" | "invoke",
    result: InitResult,
    environment: EnvironmentView,
  ): void {
    const { spec } = execution.invocation;
    if (result.kind === "ready") {
      if (phase === "init") execution.initMs = result.initMs;
      else execution.spentMs = result.initMs;
      if (!isRestored(spec, prepared)) return this.#begin(execution, result.environment);
      return this.#options.snapshots.resume(result.environment, { spec, prepared }, (restored) =>
        this.#restored(execution, restored),
      );
    }
    // AWS: an init that failed is repeated once within the invocation, whose time it then takes.
    if (phase === "init" && !this.#ended)
      return this.#start(execution, prepared, "invoke", environment.log.address.stream);
    if (result.kind === "exit" && result.exit.error !== undefined)
      throw this.#ended ? shuttingDown() : cannotStart(result.exit.error);
    const failure = describeInitFailure(result, execution.requestId, execution.timeoutMs);
    execution.initFailed(environment, result.initMs, failure);
  }
}
