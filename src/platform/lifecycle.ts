import type { Turnstile } from "#server/turnstile";
import type { EventLoopMonitor } from "#telemetry/event-loop";
import type { BatchingLogSink } from "#telemetry/log-sink";
import type { batchedStandardError } from "#telemetry/platform-log";
import type { UsageStore } from "#telemetry/usage/store";
import type { LargeBodies } from "#wire/large-bodies/large-bodies";
import type { Accounts } from "./accounts.ts";
import type { Doors } from "./doors.ts";
import type { Functions } from "./functions.ts";
import { keepKey } from "./keys.ts";
import type { OtlpExport } from "./otlp-export.ts";
import type { ServicePart } from "./part.ts";
import type { Permissions } from "./permissions.ts";
import type { Shared } from "./shared.ts";
import type { Traces } from "./traces.ts";

/** How long a shutdown waits for clients to read their last answers, once nothing runs any more. */
const LAST_ANSWERS_MS = 2000;

/** All that has to be started, emptied or ended. */
export interface LifecycleParts {
  readonly accounts: Accounts;
  readonly billed: UsageStore;
  readonly collector: OtlpExport | undefined;
  readonly eventLoop: EventLoopMonitor;
  readonly functions: Functions;
  readonly largeBodies: LargeBodies;
  readonly logSink: BatchingLogSink;
  readonly logStream: ReturnType<typeof batchedStandardError>;
  readonly neighbours: readonly ServicePart[];
  readonly permissions: Permissions;
  readonly traces: Traces;
  readonly turnstile: Turnstile;
}

/** In which order the platform's parts start, are emptied, and end. */
export class Lifecycle {
  readonly #shared: Shared;
  readonly #parts: LifecycleParts;
  readonly #onStray = (error: unknown): void => this.#shared.log.fatal(error, "an error that nothing caught");
  #closing: Promise<void> | undefined;

  constructor(shared: Shared, parts: LifecycleParts) {
    this.#shared = shared;
    this.#parts = parts;
  }

  /** Whether it has begun to end. */
  get closing(): boolean {
    return this.#closing !== undefined;
  }

  /** @throws what `open` or a part threw, once all of it has ended */
  async start(open: () => Promise<Doors>): Promise<Doors> {
    const { config, log } = this.#shared;
    const { accounts, billed, functions, neighbours } = this.#parts;
    let doors: Doors | undefined;
    try {
      await accounts.make(config.account);
      await billed.start();
      await functions.lambda.resume();
      doors = await open();
      const { listener } = doors;
      // Environments wait for it; requests need not.
      void functions
        .publish(Number(new URL(listener.url).port), (socket) => listener.accept(socket))
        .catch((error: unknown) => {
          if (!this.closing) log.error(error, "functions do not reach this endpoint");
        });
      process.on("uncaughtException", this.#onStray);
      process.on("unhandledRejection", this.#onStray);
      for (const part of neighbours) await part.start?.();
      return doors;
    } catch (error) {
      this.#closing = this.#shutDown(doors, 0);
      await this.#closing.catch((problem: unknown) => log.error(problem, "after a start that failed"));
      throw error;
    }
  }

  /** Empties the storage, and what is kept in memory of it, once all requests but invocations are answered. */
  reset(): Promise<void> {
    const { storage, key } = this.#shared;
    const { accounts, billed, functions, logSink, neighbours, permissions, traces, turnstile } = this.#parts;
    const { engine, lambda } = functions;
    const done = turnstile.alone(async () => {
      await lambda.idle();
      await Promise.all([logSink.flush(), traces.flush()]);
      await storage.reset();
      accounts.reset();
      lambda.reset();
      permissions.reset();
      for (const part of neighbours) part.reset?.();
      // Their functions are gone, and a new one of the same name is another one.
      engine.retireAll();
      billed.reset();
      // Sessions and links that were given out stay what they are: the key is the platform's, not the account's.
      await keepKey(storage.documents, key);
    });
    for (const part of neighbours) part.release?.();
    return done;
  }

  /** Ends all of it, after up to `graceMs`. May be called again with 0 to end functions at once. */
  close(doors: Doors, graceMs: number): Promise<void> {
    if (this.#closing === undefined) this.#closing = this.#shutDown(doors, graceMs);
    else if (graceMs === 0) void this.#parts.functions.stop(0);
    return this.#closing;
  }

  /**
   * @param doors undefined where it does not listen
   * @throws the first error of a step, after all steps: what fails to end keeps nothing else from ending
   */
  async #shutDown(doors: Doors | undefined, graceMs: number): Promise<void> {
    const { storage, clock, metrics } = this.#shared;
    const { billed, collector, eventLoop, functions, largeBodies, logSink, logStream } = this.#parts;
    const { neighbours, permissions, traces } = this.#parts;
    const failures: unknown[] = [];
    const all = async (...steps: readonly (() => unknown)[]): Promise<void> => {
      const ended = await Promise.allSettled(steps.map(async (step) => step()));
      failures.push(...ended.flatMap((end) => (end.status === "rejected" ? [end.reason] : [])));
    };
    doors?.unwatch?.();
    const answered = doors?.listener.close();
    // What they have sent on its way may still be a function's: they end before the engine does.
    await all(...neighbours.map((part) => () => part.stop?.(graceMs)));
    await all(() => functions.stop(graceMs));
    const last = clock.after(LAST_ANSWERS_MS, () => doors?.listener.cut());
    await answered;
    last.cancel();
    await all(
      () => traces.close(),
      () => doors?.hostDaemon?.close(),
    );
    await all(
      () => largeBodies.close(),
      () => functions.close(),
    );
    permissions.close();
    await all(() => logSink.close());
    await all(() => collector?.close());
    await all(...neighbours.map((part) => () => part.close?.()));
    await all(() => billed.close());
    metrics.close();
    await all(() => storage.close());
    eventLoop.stop();
    process.off("uncaughtException", this.#onStray);
    process.off("unhandledRejection", this.#onStray);
    logStream.flushSync();
    if (failures.length > 0) throw failures[0];
  }
}
