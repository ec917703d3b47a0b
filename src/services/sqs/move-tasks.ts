import type { Clock, Timer } from "#core/clock";
import type { Change, Document, DocumentKey } from "#storage/documents";
import type { LeasedMessage } from "#storage/queue";
import type { SqsDeps } from "./deps.ts";
import { decodeRecord, encodeRecord } from "./record.ts";
import { findByArn, findQueue, type FoundQueue } from "./store.ts";

export type MoveStatus = "RUNNING" | "COMPLETED" | "CANCELLED" | "FAILED";

export interface MoveTaskDocument {
  readonly id: string;
  readonly sourceArn: string;
  readonly destinationArn?: string;
  readonly rate?: number;
  /** Epoch milliseconds. */
  readonly started: number;
  readonly status: MoveStatus;
  readonly moved: number;
  readonly toMove: number;
  readonly failure?: string;
}

/** How many messages one step moves. */
const STEP = 10;
/** Longer than a step takes, and what a crash costs the messages that it had. */
const LEASE_MS = 60_000;

/** Keys of the tasks that are under way, of all accounts. */
const ACTIVE = ["platform", "global", "sqs-move-task"] as const;

/** Recorded: the query protocol's name of QueueDoesNotExist. */
const NO_QUEUE = "AWS.SimpleQueueService.NonExistentQueue";

/**
 * Moves messages back from dead letter queues, a step at a time and each message in one commit. A task's progress is
 * stored after every step, so that a platform that stops goes on where it was; after a crash the count may lack a step.
 */
export class MoveTasks {
  readonly #deps: SqsDeps;
  readonly #clock: Clock;
  /** Tasks that run here, and what they wait for between two steps. */
  readonly #running = new Map<string, Timer | undefined>();
  #idle: Promise<unknown> = Promise.resolve();
  #stopped = false;

  constructor(deps: SqsDeps) {
    this.#deps = deps;
    this.#clock = deps.clock;
  }

  /** Takes up the tasks that a stop of the platform interrupted. */
  resume(): void {
    const { documents } = this.#deps;
    for (const { key, value } of documents.list<{ key: DocumentKey }>(ACTIVE)) {
      const task = documents.get<MoveTaskDocument>(value.key);
      if (task !== undefined) this.#run(task);
      else void this.#end(String(key.at(-1))).catch(this.#deps.onProblem);
    }
  }

  /** Stores a task, with `changes`, and works on it until it is over. */
  async begin(key: DocumentKey, value: MoveTaskDocument, changes: readonly Change[]): Promise<void> {
    const { documents } = this.#deps;
    // First, so that no task is ever forgotten; one that was not stored after all is none.
    await documents.commit([{ key: [...ACTIVE, value.id], value: { key } }]);
    const [revision = 0] = await documents.commit([{ key, value, expected: 0 }, ...changes]);
    this.#run({ key, value, revision });
  }

  #run(task: Document<MoveTaskDocument>): void {
    const { id } = task.value;
    if (this.#stopped || this.#running.has(id)) return;
    this.#running.set(id, undefined);
    this.#next(task, 0);
  }

  /** A task that is over is none to be taken up. */
  async #end(id: string): Promise<void> {
    this.#running.delete(id);
    await this.#deps.documents.commit([{ key: [...ACTIVE, id], delete: true }]);
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    for (const timer of this.#running.values()) timer?.cancel();
    this.#running.clear();
    await this.#idle;
  }

  /** Forgets the tasks; their documents are gone. */
  reset(): void {
    for (const timer of this.#running.values()) timer?.cancel();
    this.#running.clear();
  }

  #next(task: Document<MoveTaskDocument>, delayMs: number): void {
    const { id } = task.value;
    const timer = this.#clock.after(delayMs, () => {
      const step = this.#step(task).catch((error: unknown) => {
        this.#deps.onProblem(error);
        this.#running.delete(id);
      });
      this.#idle = Promise.all([this.#idle, step]);
    });
    this.#running.set(id, timer);
  }

  async #step(known: Document<MoveTaskDocument>): Promise<void> {
    const { documents } = this.#deps;
    const task = documents.get<MoveTaskDocument>(known.key);
    // Cancelled, or gone with everything else.
    if (task?.value.status !== "RUNNING") return this.#end(known.value.id);
    const { rate, moved, toMove, id } = task.value;
    const outcome = await this.#move(task.value, Math.min(STEP, rate ?? STEP, toMove - moved));
    const next: MoveTaskDocument = {
      ...task.value,
      moved: moved + outcome.moved,
      ...(outcome.failure !== undefined
        ? { status: "FAILED", failure: outcome.failure }
        : outcome.over || moved + outcome.moved >= toMove
          ? { status: "COMPLETED" }
          : {}),
    };
    const now = documents.get<MoveTaskDocument>(task.key);
    if (now === undefined) return this.#end(id);
    const status = now.value.status === "RUNNING" ? next.status : now.value.status;
    await documents.commit([{ key: task.key, value: { ...next, status }, expected: now.revision }]);
    if (status !== "RUNNING") return this.#end(id);
    if (!this.#stopped && this.#running.has(id))
      this.#next(task, rate === undefined ? 0 : (outcome.moved * 1000) / rate);
    return undefined;
  }

  async #move(
    task: MoveTaskDocument,
    max: number,
  ): Promise<{ moved: number; over: boolean; failure?: string }> {
    const { documents, queue: queues } = this.#deps;
    const [, , , region = "", account = "", name = ""] = task.sourceArn.split(":");
    const source = findQueue(documents, { account, region }, name);
    if (source === undefined) return { moved: 0, over: true, failure: NO_QUEUE };
    const messages = await queues.receive(source.messages, max, LEASE_MS);
    let moved = 0;
    for (const [index, message] of messages.entries()) {
      const target = this.#targetOf(task, source, message);
      if (typeof target === "string") {
        const rest = messages.slice(index);
        await Promise.all(rest.map(({ id, lease }) => queues.extend(source.messages, id, lease, 0)));
        return { moved, over: true, failure: target };
      }
      if (await this.#send(source, target, message)) moved++;
    }
    return { moved, over: messages.length < max };
  }

  /** Where a message goes: where the task says, or back to the queue that it came from. A text says why it cannot. */
  #targetOf(task: MoveTaskDocument, source: FoundQueue, message: LeasedMessage): FoundQueue | string {
    const arn = task.destinationArn ?? decodeRecord(message.body).header.moved?.sourceArn;
    if (arn === undefined) return "CouldNotDetermineMessageSource";
    return findByArn(this.#deps.documents, source.region, arn) ?? NO_QUEUE;
  }

  /** A message that is moved back counts as a new one: new id, new age, no receives (developer guide, "Dead-letter queue redrive"). */
  #send(source: FoundQueue, target: FoundQueue, message: LeasedMessage): Promise<boolean> {
    const { header, body } = decodeRecord(message.body);
    const { moved: _past, ...fresh } = header;
    return this.#deps.queue.move(source.messages, message.id, message.lease, {
      queue: target.messages,
      body: encodeRecord({ header: fresh, body }),
      ...(target.settings.fifo ? { group: header.group ?? "" } : {}),
    });
  }
}
