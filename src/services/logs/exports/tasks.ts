import { AwsError } from "#core/errors";
import { RevisionConflict, type Document } from "#storage/documents";
import type { AwsCaller } from "#wire/operation";
import { revise } from "../../revise.ts";
import type { LogsDeps } from "../deps.ts";
import { logsErrors } from "../errors.ts";
import { retainedFrom } from "../retention.ts";
import {
  groupKey,
  withNamePrefix,
  type LogGroupDocument,
  type LogStreamDocument,
  type Scope,
} from "../store.ts";
import { ExportBucket } from "./bucket.ts";
import { exportStream } from "./export-stream.ts";
import {
  exportKeys,
  forgetOldest,
  isUnderWay,
  registerPlace,
  tasksUnderWay,
  type ExportTaskDocument,
} from "./store.ts";

/** Tasks of all accounts that run at the same time; the others are PENDING. */
const PARALLEL = 2;
/** Streams that are looked up at a time. */
const PAGE = 100;

interface Place {
  readonly scope: Scope;
  readonly id: string;
}

export interface ExportTasksOptions extends LogsDeps {
  readonly caller: AwsCaller;
  readonly onError: (error: unknown) => void;
}

/**
 * Exports of log groups to buckets. A task's progress, by streams, is on disk: a platform that stops goes on with the
 * stream that it was at, whose objects it writes again.
 */
export class ExportTasks {
  readonly #options: ExportTasksOptions;
  readonly #waiting: Place[] = [];
  readonly #running = new Map<string, { readonly abort: AbortController; readonly done: Promise<void> }>();
  #stopped = false;

  constructor(options: ExportTasksOptions) {
    this.#options = options;
  }

  /** Takes up the tasks that a stop of the platform interrupted. */
  resume(): void {
    for (const place of tasksUnderWay(this.#options.documents)) this.#enqueue(place);
  }

  /** Takes a task, once its bucket has been found fit. @throws AwsError */
  async begin(scope: Scope, task: ExportTaskDocument): Promise<void> {
    const { documents, caller } = this.#options;
    const active = exportKeys.active(scope);
    if (documents.get(active) !== undefined) throw logsErrors.limit();
    await new ExportBucket(caller, scope, task).check(task.prefix);
    await registerPlace(documents, scope);
    try {
      await documents.commit([
        { key: active, value: { id: task.id }, expected: 0 },
        { key: exportKeys.task(scope, task.id), value: task, expected: 0 },
        ...forgetOldest(documents, scope),
      ]);
    } catch (error) {
      if (error instanceof RevisionConflict) throw logsErrors.limit();
      throw error;
    }
    // Of the call that it came with, nothing else is kept.
    this.#enqueue({ scope: { account: scope.account, region: scope.region }, id: task.id });
  }

  /** @throws AwsError ResourceNotFoundException, InvalidOperationException for a task that is over */
  async cancel(scope: Scope, id: string): Promise<void> {
    await this.#end(scope, id, "CANCELLED", "Cancelled by user", (task) => {
      if (task === undefined) throw logsErrors.exportMissing();
      if (!isUnderWay(task.value)) throw logsErrors.exportOver();
    });
    this.#running.get(id)?.abort.abort();
  }

  /** Leaves what is under way to the next start. */
  async stop(): Promise<void> {
    this.#stopped = true;
    await this.reset();
  }

  /** Ends what is under way, without a word about it. */
  async reset(): Promise<void> {
    this.#waiting.length = 0;
    for (const { abort } of this.#running.values()) abort.abort();
    await Promise.all(Array.from(this.#running.values(), ({ done }) => done));
  }

  #enqueue(place: Place): void {
    if (this.#stopped) return;
    this.#waiting.push(place);
    this.#pump();
  }

  #pump(): void {
    while (!this.#stopped && this.#running.size < PARALLEL) {
      const place = this.#waiting.shift();
      if (place === undefined) return;
      const abort = new AbortController();
      const done = this.#run(place, abort.signal).finally(() => {
        this.#running.delete(place.id);
        this.#pump();
      });
      this.#running.set(place.id, { abort, done });
    }
  }

  async #run({ scope, id }: Place, signal: AbortSignal): Promise<void> {
    try {
      await this.#export(scope, id, signal);
      if (!signal.aborted) await this.#end(scope, id, "COMPLETED", "Completed successfully");
    } catch (error) {
      if (signal.aborted) return;
      if (!(error instanceof AwsError)) this.#options.onError(error);
      const message = error instanceof AwsError ? error.message : "An internal error occurred.";
      await this.#end(scope, id, "FAILED", message).catch(this.#options.onError);
    }
  }

  async #export(scope: Scope, id: string, signal: AbortSignal): Promise<void> {
    const { documents, journal, caller, clock } = this.#options;
    const task = await this.#update(scope, id, { status: "RUNNING", message: "Started successfully" });
    if (task === undefined) return;
    const { group, streamPrefix, prefix } = task;
    const bucket = new ExportBucket(caller, scope, task);
    let after = task.doneStream;
    for (;;) {
      const found = documents.get<LogGroupDocument>(groupKey(scope, group));
      if (found === undefined) throw logsErrors.groupMissing();
      const from = Math.max(task.from, retainedFrom(found.value, clock.now()));
      const page = this.#streams(scope, group, streamPrefix, after);
      for (const { value: stream } of page) {
        let number = 0;
        const put = async (body: Buffer): Promise<void> => {
          signal.throwIfAborted();
          const folder = stream.name.replaceAll("/", "-");
          await bucket.put(`${prefix}/${id}/${folder}/${String(number++).padStart(6, "0")}.gz`, body);
        };
        await exportStream(journal, { scope, group, stream, from, to: task.to, signal, put });
        signal.throwIfAborted();
        if (number > 0) await this.#update(scope, id, { doneStream: stream.name });
      }
      if (page.length < PAGE) return;
      after = page.at(-1)?.value.name;
    }
  }

  #streams(
    scope: Scope,
    group: string,
    prefix: string | undefined,
    after: string | undefined,
  ): readonly Document<LogStreamDocument>[] {
    const page: Document<LogStreamDocument>[] = [];
    const parent = [scope.account, scope.region, "log-stream", group] as const;
    for (const stream of withNamePrefix<LogStreamDocument>(this.#options.documents, parent, prefix, after))
      if (page.push(stream) === PAGE) break;
    return page;
  }

  /** @returns the task; undefined where it is over, or gone */
  async #update(
    scope: Scope,
    id: string,
    change: Partial<ExportTaskDocument>,
  ): Promise<ExportTaskDocument | undefined> {
    const key = exportKeys.task(scope, id);
    let updated: ExportTaskDocument | undefined;
    await revise<ExportTaskDocument>(this.#options.documents, key, (current) => {
      updated =
        current === undefined || !isUnderWay(current.value) ? undefined : { ...current.value, ...change };
      return updated === undefined ? [] : [{ key, value: updated }];
    });
    return updated;
  }

  async #end(
    scope: Scope,
    id: string,
    status: "COMPLETED" | "FAILED" | "CANCELLED",
    message: string,
    check?: (task: Document<ExportTaskDocument> | undefined) => void,
  ): Promise<void> {
    const { documents, clock } = this.#options;
    const key = exportKeys.task(scope, id);
    await revise<ExportTaskDocument>(documents, key, (current) => {
      check?.(current);
      if (current === undefined || !isUnderWay(current.value)) return [];
      const value = { ...current.value, status, message, ended: clock.now() };
      return [
        { key, value },
        { key: exportKeys.active(scope), delete: true },
      ];
    });
  }
}
