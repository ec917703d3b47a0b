import type * as client from "@aws-sdk/client-sqs";
import type { ListMessageMoveTasksResultEntry } from "@aws-sdk/client-sqs";
import { parseArn } from "#core/arn";
import type { Document } from "#storage/documents";
import type { CallContext, OperationsOf } from "#wire/operation";
import { revise } from "../../revise.ts";
import type { SqsContext } from "../context.ts";
import { sqsErrors } from "../errors.ts";
import { LIMITS } from "../limits.ts";
import type { MoveTaskDocument } from "../move-tasks.ts";
import { findByArn, keys, type FoundQueue } from "../store.ts";

export function moveTaskOperations(context: SqsContext) {
  const { documents, queue: queues, clock, ids, moveTasks } = context;

  /** Newest first. */
  function tasksOf(queue: FoundQueue, limit: number): Document<MoveTaskDocument>[] {
    const prefix = [queue.account, queue.region, "sqs-move-task", queue.name] as const;
    return [...documents.list<MoveTaskDocument>(prefix, { reverse: true, limit })];
  }

  function requireSource(call: CallContext, arn: string | undefined): FoundQueue {
    const queue = ownQueue(call, arn);
    if (queue === undefined) throw sqsErrors.resourceMissing("SourceArn");
    return queue;
  }

  function ownQueue(call: CallContext, arn = ""): FoundQueue | undefined {
    const parsed = parseArn(arn);
    if (parsed?.service !== "sqs")
      throw sqsErrors.parameter(
        "You must use this format to specify the SourceArn: arn:<partition>:<service>:<region>:<account-id>:<resource-id>",
      );
    return parsed.account === call.account ? findByArn(documents, call.region, arn) : undefined;
  }

  return {
    async StartMessageMoveTask(input, call) {
      const { SourceArn = "", DestinationArn, MaxNumberOfMessagesPerSecond: rate } = input;
      const source = requireSource(call, SourceArn);
      if (DestinationArn !== undefined && ownQueue(call, DestinationArn) === undefined)
        throw sqsErrors.resourceMissing("DestinationArn");
      if (rate !== undefined && (rate < 1 || rate > LIMITS.moveRate))
        throw sqsErrors.value(
          rate,
          "MaxNumberOfMessagesPerSecond",
          `MaxNumberOfMessagesPerSecond must be an integer between 1 and ${LIMITS.moveRate}.`,
        );
      const [of] = documents.list([source.account, source.region, "sqs-source", source.name], { limit: 1 });
      if (of === undefined)
        throw sqsErrors.parameter("Source queue must be configured as a Dead Letter Queue.");
      const recent = tasksOf(source, LIMITS.moveTasks);
      if (recent.some(({ value }) => value.status === "RUNNING")) throw sqsErrors.moveRunning();
      const started = clock.now();
      const value: MoveTaskDocument = {
        id: ids.uuid(),
        sourceArn: SourceArn,
        ...(DestinationArn === undefined ? {} : { destinationArn: DestinationArn }),
        ...(rate === undefined ? {} : { rate }),
        started,
        status: "RUNNING",
        moved: 0,
        toMove: queues.depth(source.messages).visible,
      };
      const key = keys.moveTask(source, source.name, started, value.id);
      // Of those that are over, only the newest are ever told.
      const old = recent
        .slice(LIMITS.moveTasks - 1)
        .map((task) => ({ key: task.key, delete: true }) as const);
      await moveTasks.begin(key, value, old);
      return { TaskHandle: writeHandle(value) };
    },

    ListMessageMoveTasks(input, call) {
      const { MaxResults = 1 } = input;
      if (MaxResults < 1 || MaxResults > LIMITS.moveTasks)
        throw sqsErrors.value(
          MaxResults,
          "MaxResults",
          `MaxResults must be an integer between 1 and ${LIMITS.moveTasks}.`,
        );
      const tasks = tasksOf(requireSource(call, input.SourceArn), MaxResults);
      return { Results: tasks.map(({ value }) => describe(value)) };
    },

    async CancelMessageMoveTask(input, call) {
      const handle = readHandle(input.TaskHandle ?? "");
      const source = requireSource(call, handle.sourceArn);
      const task = tasksOf(source, LIMITS.moveTasks).find(({ value }) => value.id === handle.taskId);
      if (task === undefined) throw sqsErrors.moveMissing();
      let moved = 0;
      await revise<MoveTaskDocument>(documents, task.key, (current) => {
        if (current?.value.status !== "RUNNING") throw sqsErrors.moveOver();
        ({ moved } = current.value);
        return [{ key: task.key, value: { ...current.value, status: "CANCELLED" } }];
      });
      return { ApproximateNumberOfMessagesMoved: moved };
    },
  } satisfies OperationsOf<typeof client>;
}

function describe(task: MoveTaskDocument): ListMessageMoveTasksResultEntry {
  const { status, rate, failure, destinationArn } = task;
  return {
    // A handle is for cancelling, and is told only while that is possible (API reference, ListMessageMoveTasksResultEntry).
    ...(status === "RUNNING" ? { TaskHandle: writeHandle(task) } : {}),
    Status: status,
    SourceArn: task.sourceArn,
    ...(destinationArn === undefined ? {} : { DestinationArn: destinationArn }),
    ...(rate === undefined ? {} : { MaxNumberOfMessagesPerSecond: rate }),
    ApproximateNumberOfMessagesMoved: task.moved,
    ApproximateNumberOfMessagesToMove: task.toMove,
    ...(failure === undefined ? {} : { FailureReason: failure }),
    StartedTimestamp: task.started,
  };
}

function writeHandle({ id, sourceArn }: MoveTaskDocument): string {
  return Buffer.from(JSON.stringify({ taskId: id, sourceArn })).toString("base64");
}

function readHandle(handle: string): { taskId: string; sourceArn: string } {
  try {
    const parsed: unknown = JSON.parse(Buffer.from(handle, "base64").toString());
    if (typeof parsed === "object" && parsed !== null && "taskId" in parsed && "sourceArn" in parsed) {
      const { taskId, sourceArn } = parsed;
      if (typeof taskId === "string" && typeof sourceArn === "string") return { taskId, sourceArn };
    }
  } catch {
    // It is none of ours.
  }
  throw sqsErrors.parameter("Value for parameter TaskHandle is invalid.");
}
