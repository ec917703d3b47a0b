import { Worker } from "node:worker_threads";
import type { Clock, Timer } from "./clock.ts";
import { AwsError } from "./errors.ts";
import type { JobMessage, PackedError, ReplyMessage } from "./worker-jobs.ts";

export interface WorkerThreadOptions {
  /** A compiled module that calls `serveJobs`. */
  readonly url: URL;
  readonly clock: Clock;
  /** How many jobs the thread has at a time; the others wait here and outlive it if it dies. */
  readonly parallel: number;
  /** Milliseconds without a job after which the thread is ended, and its memory given back. */
  readonly idleMs?: number;
  /** The largest heap of the thread, in MB. Room, not a guard: V8 may end the whole process where it is exceeded. */
  readonly heapMb?: number;
}

/** The thread ended under a job; `cause` says why. */
export class WorkerLost extends Error {
  constructor(cause: unknown) {
    super(`a worker thread ended: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
    this.name = "WorkerLost";
  }
}

interface Pending {
  readonly job: unknown;
  readonly transfer: readonly ArrayBuffer[];
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * A thread for what would hold up the event loop. It starts with the first job, never keeps the process alive, and is
 * replaced after a crash, which fails only the jobs that it had.
 */
export class WorkerThread<Job, Result> {
  readonly #options: WorkerThreadOptions;
  readonly #waiting: Pending[] = [];
  readonly #running = new Map<number, Pending>();
  #thread: Worker | undefined;
  #idle: Timer | undefined;
  #lastId = 0;

  constructor(options: WorkerThreadOptions) {
    this.#options = options;
  }

  get started(): boolean {
    return this.#thread !== undefined;
  }

  /**
   * Runs a job; what is in `transfer` moves to the thread and is empty here from then on. Rejects with the AwsError or
   * Error that the job threw, or with a WorkerLost.
   */
  run(job: Job, transfer: readonly ArrayBuffer[] = []): Promise<Result> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ job, transfer, resolve: resolve as (value: unknown) => void, reject });
      this.#next();
    });
  }

  /** Ends the thread; jobs under way fail. A job that comes later starts another one. */
  async close(): Promise<void> {
    const thread = this.#thread;
    if (thread === undefined) return;
    this.#lose(thread, new Error("it was closed"));
    await thread.terminate();
  }

  #next(): void {
    this.#idle?.cancel();
    while (this.#running.size < this.#options.parallel) {
      const pending = this.#waiting.shift();
      if (pending === undefined) break;
      this.#post(pending);
    }
    if (this.#running.size === 0 && this.#thread !== undefined)
      this.#idle = this.#options.clock.after(this.#options.idleMs ?? 30_000, () => void this.close());
  }

  #post(pending: Pending): void {
    const id = ++this.#lastId;
    this.#running.set(id, pending);
    try {
      this.#thread ??= this.#start();
      this.#thread.postMessage({ id, job: pending.job } satisfies JobMessage, pending.transfer);
    } catch (error) {
      this.#running.delete(id);
      pending.reject(error);
    }
  }

  #start(): Worker {
    const { url, heapMb } = this.#options;
    const thread = new Worker(url, {
      // Flags of the main program, such as a test runner's import conditions, are not meant for compiled workers.
      execArgv: [],
      ...(heapMb === undefined ? {} : { resourceLimits: { maxOldGenerationSizeMb: heapMb } }),
    });
    thread.unref();
    thread.on("message", (reply: ReplyMessage) => this.#settle(reply));
    thread.on("error", (error) => this.#lose(thread, error));
    thread.on("exit", (code) => this.#lose(thread, new Error(`exit code ${code}`)));
    return thread;
  }

  #settle(reply: ReplyMessage): void {
    const pending = this.#running.get(reply.id);
    if (pending === undefined) return;
    this.#running.delete(reply.id);
    if (reply.error === undefined) pending.resolve(reply.value);
    else pending.reject(unpackError(reply.error));
    this.#next();
  }

  #lose(thread: Worker, cause: unknown): void {
    if (this.#thread !== thread) return;
    this.#thread = undefined;
    const lost = [...this.#running.values()];
    this.#running.clear();
    for (const { reject } of lost) reject(new WorkerLost(cause));
    this.#next();
  }
}

function unpackError(packed: PackedError): Error {
  if (packed.kind === "aws") return new AwsError(packed.code, packed.message, packed);
  const error = new Error(packed.message);
  if (packed.stack !== undefined) error.stack = packed.stack;
  return packed.code === undefined ? error : Object.assign(error, { code: packed.code });
}
