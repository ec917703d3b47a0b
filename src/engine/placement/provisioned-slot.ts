import type { FunctionSpec } from "../contract.ts";
import type { EnvironmentView, IdleEnvironment } from "../environment/contract.ts";

interface Member {
  /** By the monotonic clock. */
  readonly since: number;
  /** How long its init took, until the invocation has told it that is its first. */
  initMs: number | undefined;
}

/** The provisioned environments of one version. */
export class ProvisionedSlot {
  readonly spec: FunctionSpec;
  /** The alias or version that they were configured for. */
  qualifier: string;
  /** How many there should be. */
  want = 0;
  /** How many are being initialised. */
  starting = 0;
  /** Initialisations that failed since the last one that went well, why, and when the next may be tried (monotonic). */
  failures = 0;
  failure: string | undefined;
  retryAt = 0;
  /** Initialised and alive, busy or not. */
  readonly #members = new Map<EnvironmentView, Member>();
  /** The most recently used last. */
  readonly #idle: IdleEnvironment[] = [];
  #most = 0;

  constructor(spec: FunctionSpec, qualifier: string) {
    this.spec = spec;
    this.qualifier = qualifier;
  }

  get allocated(): number {
    return this.#members.size;
  }

  get available(): number {
    return this.#idle.length;
  }

  get busy(): number {
    return this.#members.size - this.#idle.length;
  }

  get missing(): number {
    return this.want - this.#members.size - this.starting;
  }

  take(): IdleEnvironment | undefined {
    return this.#idle.pop();
  }

  add(environment: IdleEnvironment, now: number, initMs: number): void {
    this.#members.set(environment, { since: now, initMs });
    this.#idle.push(environment);
  }

  /** How long the init of one that was taken took; undefined where that was told before. */
  tellInit(environment: IdleEnvironment): number | undefined {
    const member = this.#members.get(environment);
    const initMs = member?.initMs;
    if (member !== undefined) member.initMs = undefined;
    return initMs;
  }

  /** Puts a taken one back, or ends it where there are more than wanted. */
  park(environment: IdleEnvironment): void {
    if (!this.#members.has(environment)) return;
    if (this.#members.size <= this.#most) this.#idle.push(environment);
    else this.#end(environment);
  }

  /** Ends what is over `most`: idle ones now, busy ones when they come back. */
  keep(most: number): void {
    this.#most = most;
    while (this.#members.size > most) {
      const longestIdle = this.#idle.shift();
      if (longestIdle === undefined) return;
      this.#end(longestIdle);
    }
  }

  /**
   * Ends some of the idle ones that were initialised before: few enough that most stay while others take their place.
   * They count until they are dead, so that their death is told as that of any other.
   */
  renew(before: number): void {
    const old = this.#idle.filter(
      (environment) => (this.#members.get(environment)?.since ?? before) < before,
    );
    for (const environment of old.slice(0, Math.ceil(this.#members.size / 4))) void environment.kill();
  }

  /** `false` where it is none of these any more, or none yet: one that dies while it is initialised. */
  remove(environment: EnvironmentView): boolean {
    const at = this.#idle.findIndex((idle) => idle === environment);
    if (at !== -1) this.#idle.splice(at, 1);
    return this.#members.delete(environment);
  }

  async close(): Promise<void> {
    await Promise.all([...this.#members.keys()].map((environment) => environment.kill()));
  }

  #end(environment: IdleEnvironment): void {
    this.#members.delete(environment);
    void environment.kill();
  }
}
