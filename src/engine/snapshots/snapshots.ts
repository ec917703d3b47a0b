import type { Clock, Timer } from "#core/clock";
import type { Ids } from "#core/ids";
import type { CredentialSource, FunctionSpec } from "../contract.ts";
import type { EnvironmentView, IdleEnvironment } from "../environment/contract.ts";
import { cannotStart, shuttingDown } from "../invocation/service-exception.ts";
import type { ColdStarter, Prepared } from "../placement/cold-start.ts";
import { provisionedInitMs } from "../placement/provisioned.ts";
import { credentialVariables } from "../runtimes/boot.ts";
import { restore } from "./restore.ts";
import type { RestoreResult } from "./restore.ts";

export interface SnapshotsOptions {
  readonly clock: Clock;
  readonly ids: Pick<Ids, "uuid">;
  readonly credentials: CredentialSource;
  readonly starter: Pick<ColdStarter, "prepare" | "start">;
  /** Environments to keep at most. Each holds the memory of an initialised function. */
  readonly max: number;
}

/**
 * One that has waited for so long is initialised again: what its init made of credentials, such as an SDK's client, has to
 * last from then on, and they are good for 12 hours.
 */
const MAX_AGE_MS = 6 * 3_600_000;

/** An environment that was initialised and has served nothing. */
interface Snapshot {
  readonly spec: FunctionSpec;
  readonly prepared: Prepared;
  readonly environment: IdleEnvironment;
  /** By the monotonic clock. */
  readonly since: number;
  /** Told when it dies, by whoever has it. */
  onDeath: (environment: EnvironmentView) => void;
}

/** Who takes an environment over when it is restored. */
export interface Restorer {
  readonly onDeath: (environment: EnvironmentView) => void;
  readonly onRestored: (result: RestoreResult) => void;
}

/**
 * SnapStart, as far as a host without checkpoints of processes can have it: for each version that asks for it, one
 * environment has gone through its init phase, before-snapshot hooks included, and stands frozen within walls of its own.
 * Restoring thaws it, gives it fresh credentials and randomness and runs the after-restore hooks; the next one is then
 * initialised in the background. So init never delays an invocation but where none is ready: it then goes through all of
 * this itself, as code may rely on its hooks. Unlike on AWS, init runs once for each environment.
 *
 * Why not one process that is forked for each: a fork stays in the mount, process-id and network namespaces of its
 * parent, since the seccomp filter rightly refuses it to leave them. Environments would share /tmp, could signal each
 * other, and one that is taken over could change what all later ones start from.
 */
export class Snapshots {
  readonly #options: SnapshotsOptions;
  /** By spec id, the longest unused first. */
  readonly #ready = new Map<string, Snapshot>();
  /** Being initialised, by spec id. */
  readonly #making = new Map<string, Promise<boolean>>();
  readonly #starting = new Map<EnvironmentView, FunctionSpec>();
  /** Versions whose init failed in the background: they are not tried again ahead of an invocation. */
  readonly #failing = new Set<string>();
  #renewal: Timer | undefined;
  #closed = false;

  constructor(options: SnapshotsOptions) {
    this.#options = options;
  }

  has(specId: string): boolean {
    return this.#ready.has(specId);
  }

  /**
   * Initialises an environment and, where its runtime can be restored, keeps it.
   * @returns whether its init went well
   */
  make(spec: FunctionSpec): Promise<boolean> {
    const under = this.#making.get(spec.id);
    if (under !== undefined) return under;
    const making = this.#make(spec).finally(() => {
      if (this.#making.get(spec.id) === making) this.#making.delete(spec.id);
    });
    this.#making.set(spec.id, making);
    return making;
  }

  /** Has one ready soon. */
  ensure(spec: FunctionSpec): void {
    const { id } = spec;
    if (this.#closed || this.#ready.has(id) || this.#making.has(id) || this.#failing.has(id)) return;
    this.make(spec).then(
      (well) => {
        if (!well) this.#failing.add(id);
      },
      // The host's fault, which the next invocation tells.
      () => undefined,
    );
  }

  /** Restores the environment that is ready for a spec, which is the caller's from here on. @throws Error where there is none */
  restore(specId: string, by: Restorer): EnvironmentView {
    const snapshot = this.#ready.get(specId);
    if (snapshot === undefined) throw new Error(`no environment is ready for ${specId}`);
    this.#ready.delete(specId);
    const { environment } = snapshot;
    snapshot.onDeath = by.onDeath;
    this.resume(environment, snapshot, by.onRestored);
    return environment;
  }

  /** The second half of it: restores an environment that has gone through its init for a snapshot and is the caller's. */
  resume(
    environment: IdleEnvironment,
    { spec, prepared }: Pick<Snapshot, "spec" | "prepared">,
    onRestored: Restorer["onRestored"],
  ): void {
    const { clock, ids, credentials } = this.#options;
    restore(
      environment,
      {
        clock,
        spec,
        id: ids.uuid(),
        runtime: prepared.plan,
        variables: credentialVariables(credentials.forFunction(spec)),
      },
      onRestored,
    );
  }

  retire(specId: string): void {
    this.#making.delete(specId);
    this.#failing.delete(specId);
    const snapshot = this.#ready.get(specId);
    this.#ready.delete(specId);
    void snapshot?.environment.kill();
    for (const [environment, spec] of this.#starting) if (spec.id === specId) void environment.kill();
  }

  clear(): void {
    for (const specId of [...this.#ready.keys(), ...this.#making.keys()]) this.retire(specId);
    this.#failing.clear();
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#renewal?.cancel();
    const kept = [...this.#ready.values()].map(({ environment }) => environment);
    this.#ready.clear();
    await Promise.all([...kept, ...this.#starting.keys()].map((environment) => environment.kill()));
  }

  async #make(spec: FunctionSpec): Promise<boolean> {
    const { starter } = this.#options;
    const prepared = await starter.prepare(spec);
    if (this.#closed) throw shuttingDown();
    const restorable = isRestored(spec, prepared);
    return new Promise((resolve, reject) => {
      let snapshot: Snapshot | undefined;
      const started = starter.start(
        {
          spec,
          prepared,
          phase: "init",
          initializationType: restorable ? "snap-start" : "on-demand",
          initTimeoutMs: provisionedInitMs(spec.timeoutMs),
          tail: false,
          onDeath: (environment) => {
            this.#starting.delete(environment);
            snapshot?.onDeath(environment);
          },
        },
        (result, environment) => {
          this.#starting.delete(environment);
          if (result.kind === "ready") {
            snapshot = {
              spec,
              prepared,
              environment: result.environment,
              since: this.#options.clock.monotonic(),
              onDeath: () => this.#lost(spec.id, result.environment),
            };
            if (restorable) this.#keep(snapshot);
            else void environment.kill();
            resolve(true);
          } else if (result.kind === "exit" && result.exit.error !== undefined)
            reject(cannotStart(result.exit.error));
          else resolve(false);
        },
      );
      this.#starting.set(started, spec);
    });
  }

  #keep(snapshot: Snapshot): void {
    const { id } = snapshot.spec;
    // Retired, or emptied with all others, while it was initialised.
    if (this.#closed || !this.#making.has(id) || this.#ready.has(id)) return void snapshot.environment.kill();
    this.#ready.set(id, snapshot);
    this.#renewal ??= this.#options.clock.after(MAX_AGE_MS, this.#renew);
    const [oldest] = this.#ready.values();
    if (this.#ready.size <= this.#options.max || oldest === undefined) return;
    this.#ready.delete(oldest.spec.id);
    void oldest.environment.kill();
  }

  #lost(specId: string, environment: IdleEnvironment): void {
    if (this.#ready.get(specId)?.environment === environment) this.#ready.delete(specId);
  }

  readonly #renew = (): void => {
    this.#renewal = undefined;
    const { clock } = this.#options;
    const now = clock.monotonic();
    for (const { spec, environment, since } of this.#ready.values()) {
      if (now - since < MAX_AGE_MS) continue;
      this.#ready.delete(spec.id);
      void environment.kill();
      this.ensure(spec);
    }
    const [oldest] = this.#ready.values();
    if (oldest !== undefined) this.#renewal = clock.after(oldest.since + MAX_AGE_MS - now, this.#renew);
  };
}

/** Whether environments of a spec are restored after their init. */
export function isRestored({ snapStart }: FunctionSpec, { plan }: Prepared): boolean {
  return snapStart === true && plan.language.restores === true;
}
