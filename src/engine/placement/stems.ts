import type { Clock } from "#core/clock";
import type { Ids } from "#core/ids";
import { bootEnvironment } from "../environment/environment.ts";
import type { StemEnvironment } from "../environment/contract.ts";
import type { SandboxBackend, SandboxOptions } from "../sandbox/contract.ts";

/** What stem environments are alike in: whoever needs one of this kind can be given any of them. */
export interface StemKind {
  /** The same for the same `sandbox`. */
  readonly key: string;
  readonly sandbox: Omit<SandboxOptions, "id">;
}

export interface StemPoolOptions {
  readonly backend: SandboxBackend;
  readonly clock: Clock;
  readonly ids: Pick<Ids, "hex">;
  /** Opens an HTTP API for each, whose ids come from here. */
  readonly runtimeApi?: Pick<Ids, "uuid">;
  /** Stem environments of all kinds at most: each idle runtime holds some 10 to 20 MB. */
  readonly max: number;
}

/** Demand is forgotten by half in this time. */
const HALF_LIFE_MS = 30_000;

/** A burst is answered by so many stems of one kind at most; what goes beyond boots when it comes. */
const MAX_PER_KIND = 8;

/** The pool is refilled this long after the last cold start: the invocation that waits for one goes first. */
const REFILL_AFTER_MS = 20;

/** A kind whose stems die by themselves so many times in a row is not booted ahead until it is asked for again. */
const MAX_DEATHS = 3;

interface Shelf {
  kind: StemKind;
  /** In the order in which they were started: the first ones are booted, the last may still be booting. */
  readonly stems: StemEnvironment[];
  demand: number;
  /** When the demand was last counted, by the monotonic clock. */
  at: number;
  deaths: number;
}

/**
 * Booted runtimes that wait for a function, so that a cold start has only to make one its own. Sized by demand: one for
 * each kind that a function may need, more where several were taken in the last seconds, within `max`; the kind that was
 * longest without demand gives way. Booting ahead never competes with a start that an invocation waits for.
 */
export class StemPool {
  readonly #options: StemPoolOptions;
  /** By the time of their last demand, the latest last. */
  readonly #shelves = new Map<string, Shelf>();
  #size = 0;
  /** Starts that invocations wait for. */
  #pressing = 0;
  #booting: StemEnvironment | undefined;
  #refillSoon = false;
  #closed = false;

  constructor(options: StemPoolOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#size;
  }

  /** Tells that a function of this kind exists and may be invoked soon. */
  anticipate(kind: StemKind): void {
    const shelf = this.#shelf(kind);
    shelf.demand = Math.max(shelf.demand, 1);
    this.#refillLater();
  }

  /** Takes a stem of this kind; undefined where none is left, and the caller boots one itself. */
  take(kind: StemKind): StemEnvironment | undefined {
    const shelf = this.#shelf(kind);
    shelf.demand += 1;
    shelf.deaths = 0;
    const stem = shelf.stems.shift();
    if (stem !== undefined) this.#left(stem);
    this.#refillLater();
    return stem;
  }

  /** An invocation waits for a boot from here on, until the function that is returned is called. */
  press(): () => void {
    this.#pressing++;
    let pressing = true;
    return () => {
      if (!pressing) return;
      pressing = false;
      this.#pressing--;
      this.#refillLater();
    };
  }

  async close(): Promise<void> {
    this.#closed = true;
    const stems = [...this.#shelves.values()].flatMap((shelf) => shelf.stems);
    this.#shelves.clear();
    await Promise.all(stems.map((stem) => stem.kill()));
  }

  #shelf(kind: StemKind): Shelf {
    const now = this.#options.clock.monotonic();
    const shelf = this.#shelves.get(kind.key) ?? { kind, stems: [], demand: 0, at: now, deaths: 0 };
    shelf.kind = kind;
    shelf.demand *= 0.5 ** ((now - shelf.at) / HALF_LIFE_MS);
    shelf.at = now;
    this.#shelves.delete(kind.key);
    this.#shelves.set(kind.key, shelf);
    return shelf;
  }

  #refillLater(): void {
    if (this.#refillSoon || this.#closed) return;
    this.#refillSoon = true;
    this.#options.clock.after(REFILL_AFTER_MS, () => {
      this.#refillSoon = false;
      this.#refill();
    });
  }

  /** Boots one stem; the next one follows when it is there. */
  #refill(): void {
    if (this.#closed || this.#pressing > 0 || this.#booting !== undefined) return;
    // The kind that was wanted last first.
    for (const shelf of [...this.#shelves.values()].toReversed()) {
      const wanted = Math.min(MAX_PER_KIND, Math.max(1, Math.round(shelf.demand)));
      if (shelf.deaths >= MAX_DEATHS || shelf.stems.length >= wanted) continue;
      // A second stem of a kind is not worth the only one of another.
      if (this.#size >= this.#options.max && (shelf.stems.length > 0 || !this.#makeRoom(shelf))) continue;
      return this.#boot(shelf);
    }
  }

  /** Ends a stem of the kind that was longest without demand. */
  #makeRoom(forShelf: Shelf): boolean {
    for (const shelf of this.#shelves.values()) {
      if (shelf === forShelf) return false;
      const stem = shelf.stems.pop();
      if (stem === undefined) continue;
      this.#left(stem);
      void stem.kill();
      // It comes back with the next demand of its kind.
      this.#shelves.delete(shelf.kind.key);
      for (const other of shelf.stems.splice(0)) {
        this.#left(other);
        void other.kill();
      }
      return true;
    }
    return false;
  }

  #boot(shelf: Shelf): void {
    const { backend, clock, ids, runtimeApi } = this.#options;
    const stem = bootEnvironment({
      backend,
      clock,
      ...(runtimeApi === undefined ? {} : { runtimeApi }),
      sandbox: { id: ids.hex(32), ...shelf.kind.sandbox },
      onBooted: () => {
        shelf.deaths = 0;
        this.#booted(stem);
      },
      onGone: () => {
        const at = shelf.stems.indexOf(stem);
        if (at === -1) return;
        shelf.stems.splice(at, 1);
        shelf.deaths++;
        this.#left(stem);
      },
    });
    this.#booting = stem;
    shelf.stems.push(stem);
    this.#size++;
  }

  #booted(stem: StemEnvironment): void {
    if (this.#booting !== stem) return;
    this.#booting = undefined;
    this.#refillLater();
  }

  /** It is not the pool's any more. */
  #left(stem: StemEnvironment): void {
    this.#size--;
    this.#booted(stem);
  }
}
