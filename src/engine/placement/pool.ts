import type { Clock, Timer } from "#core/clock";
import type { EnvironmentView, IdleEnvironment } from "../environment/contract.ts";
import { MAX_AGE_MS } from "./age.ts";

interface Parked {
  readonly environment: IdleEnvironment;
  readonly since: number;
}

export interface PoolOptions {
  readonly clock: Clock;
  /** Environments of this node, idle and busy. */
  readonly maxEnvironments: number;
  /** An environment that served nothing for this long is ended. */
  readonly idleMs: number;
  /** Told when the last environment of a spec has ended. */
  readonly onLast?: (specId: string) => void;
}

/** What environments must have in common to serve the same events: the spec and, where there is one, the tenant. */
function keyOf(specId: string, tenantId: string | undefined): string {
  // Neither has a line break in it.
  return tenantId === undefined ? specId : `${specId}\n${tenantId}`;
}

/** All environments of this node: the idle ones by spec and tenant, the most recently used first. */
export class Pool {
  readonly #options: PoolOptions;
  /** With the time of its start, monotonic. */
  readonly #all = new Map<EnvironmentView, number>();
  readonly #idle = new Map<string, Parked[]>();
  /** How many environments each spec has, and which specs wait for their last one to end. */
  readonly #counts = new Map<string, number>();
  readonly #retired = new Set<string>();
  #idleCount = 0;
  #timer: Timer | undefined;
  #closed = false;

  constructor(options: PoolOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#all.size;
  }

  get busy(): number {
    return this.#all.size - this.#idleCount;
  }

  /** Takes the most recently used idle environment of a spec that serves this tenant, or none. */
  take(specId: string, tenantId?: string): IdleEnvironment | undefined {
    return this.#take(keyOf(specId, tenantId));
  }

  #take(key: string): IdleEnvironment | undefined {
    const stack = this.#idle.get(key);
    if (stack === undefined) return undefined;
    const parked = stack.pop();
    if (stack.length === 0) this.#idle.delete(key);
    if (parked !== undefined) this.#idleCount--;
    return parked?.environment;
  }

  /**
   * Whether one more environment may start; ends the longest idle one where all places are taken. `false` where all are
   * busy.
   * @param others places that environments outside of this pool take
   */
  makeRoom(others = 0): boolean {
    return this.#all.size + others < this.#options.maxEnvironments || this.#evictOldest();
  }

  add(environment: EnvironmentView): void {
    this.#all.set(environment, this.#options.clock.monotonic());
    this.#counts.set(environment.specId, (this.#counts.get(environment.specId) ?? 0) + 1);
  }

  /** Whether an environment may be given more events: it is neither too old nor of a spec that is no more. */
  mayServe(environment: EnvironmentView): boolean {
    const now = this.#options.clock.monotonic();
    const tooOld = now - (this.#all.get(environment) ?? now) >= MAX_AGE_MS;
    return !tooOld && !this.#retired.has(environment.specId);
  }

  /** Puts an environment back that has done its work, or ends it where it is not wanted any more. */
  park(environment: IdleEnvironment): void {
    const since = this.#options.clock.monotonic();
    if (this.#closed || !this.mayServe(environment)) {
      void environment.kill();
      return;
    }
    const parked = { environment, since };
    const key = keyOf(environment.specId, environment.tenantId);
    const stack = this.#idle.get(key);
    if (stack === undefined) this.#idle.set(key, [parked]);
    else stack.push(parked);
    this.#idleCount++;
    this.#timer ??= this.#options.clock.after(this.#options.idleMs, this.#expire);
  }

  /** To be told of every death. */
  remove(environment: EnvironmentView): void {
    if (!this.#all.delete(environment)) return;
    const left = (this.#counts.get(environment.specId) ?? 1) - 1;
    if (left > 0) this.#counts.set(environment.specId, left);
    else {
      this.#counts.delete(environment.specId);
      this.#retired.delete(environment.specId);
      this.#options.onLast?.(environment.specId);
    }
    const key = keyOf(environment.specId, environment.tenantId);
    const stack = this.#idle.get(key);
    const at = stack?.findIndex((parked) => parked.environment === environment) ?? -1;
    if (stack === undefined || at === -1) return;
    stack.splice(at, 1);
    this.#idleCount--;
    if (stack.length === 0) this.#idle.delete(key);
  }

  /** Ends the idle environments of a spec now, the busy ones when they come back. */
  retire(specId: string): void {
    if (!this.#counts.has(specId)) return;
    this.#retired.add(specId);
    const keys = [...this.#idle.keys()].filter((key) => key === specId || key.startsWith(`${specId}\n`));
    for (const key of keys)
      for (let idle = this.#take(key); idle !== undefined; idle = this.#take(key)) void idle.kill();
  }

  retireAll(): void {
    for (const specId of this.#counts.keys()) this.retire(specId);
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#timer?.cancel();
    await Promise.all([...this.#all.keys()].map((environment) => environment.kill()));
  }

  #evictOldest(): boolean {
    let oldest: Parked | undefined;
    // Each stack's bottom is its longest idle one.
    for (const [first] of this.#idle.values())
      if (first !== undefined && (oldest === undefined || first.since < oldest.since)) oldest = first;
    if (oldest === undefined) return false;
    void oldest.environment.kill();
    return true;
  }

  readonly #expire = (): void => {
    this.#timer = undefined;
    const { clock, idleMs } = this.#options;
    const before = clock.monotonic() - idleMs;
    let next = Infinity;
    for (const stack of this.#idle.values()) {
      const expired = stack.filter((parked) => parked.since <= before);
      for (const parked of expired) void parked.environment.kill();
      for (const parked of stack) next = Math.min(next, parked.since);
    }
    if (next !== Infinity) this.#timer = clock.after(Math.max(1000, next - before), this.#expire);
  };
}
