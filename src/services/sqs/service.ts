import type { CallContext, ServiceDefinition, UntypedHandler } from "#wire/operation";
import { createSqsAuthorisation } from "./authorisation.ts";
import type { SqsContext } from "./context.ts";
import type { SqsDeps } from "./deps.ts";
import { QueueGauges } from "./gauges.ts";
import { attributeOperations } from "./operations/attributes.ts";
import { deadLetterOperations } from "./operations/dead-letters.ts";
import { messageOperations } from "./operations/messages.ts";
import { moveTaskOperations } from "./operations/move-tasks.ts";
import { permissionOperations } from "./operations/permissions.ts";
import { queueOperations } from "./operations/queues.ts";
import { receiptOperations } from "./operations/receipts.ts";
import { tagOperations } from "./operations/tags.ts";
import { SqsMetrics } from "./metrics.ts";
import { MoveTasks } from "./move-tasks.ts";
import { parseQueueUrl } from "./queue-url.ts";
import { RetentionSweep } from "./retention.ts";
import { Waiting } from "./waiting.ts";

export interface SqsService {
  readonly definition: ServiceDefinition;
  /** Takes up the work that goes on beside requests. */
  start(): void;
  /** Lets everyone go who waits for messages, such as before the storage is emptied. */
  release(): void;
  /** Forgets the work of queues that are gone with the storage's content. */
  reset(): void;
  /** Ends that work and all waits, for good. */
  stop(): Promise<void>;
}

export function createSqsService(deps: SqsDeps): SqsService {
  const moveTasks = new MoveTasks(deps);
  const waiting = new Waiting(deps.queue, deps.clock);
  const context: SqsContext = { ...deps, metrics: new SqsMetrics(deps), waiting, moveTasks };
  const retention = new RetentionSweep(deps);
  const gauges = new QueueGauges(deps);
  return {
    definition: {
      name: "sqs",
      authorisation: createSqsAuthorisation(deps.documents),
      operations: noting(gauges, {
        ...queueOperations(context),
        ...attributeOperations(context),
        ...messageOperations(context),
        ...receiptOperations(context),
        ...tagOperations(context),
        ...permissionOperations(context),
        ...deadLetterOperations(context),
        ...moveTaskOperations(context),
      }),
    },
    start() {
      retention.start();
      moveTasks.resume();
      gauges.start();
    },
    reset() {
      moveTasks.reset();
      gauges.reset();
    },
    release: () => waiting.release(),
    async stop() {
      waiting.close();
      gauges.stop();
      await Promise.all([retention.stop(), moveTasks.stop()]);
    },
  };
}

interface Named {
  readonly QueueUrl?: string;
}

/** The same operations; each notes the queue that it was of. */
function noting(gauges: QueueGauges, operations: ServiceDefinition["operations"]) {
  return Object.fromEntries(
    Object.entries(operations).map(([operation, handle]) => {
      const noted: UntypedHandler = async (input: never, call: CallContext) => {
        const output: unknown = await handle(input, call);
        // CreateQueue and GetQueueUrl tell it.
        const { QueueUrl } = { ...(output as Named), ...(input as Named) };
        if (QueueUrl !== undefined) {
          const { account, name } = parseQueueUrl(QueueUrl) ?? { account: call.account, name: QueueUrl };
          gauges.used({ account, region: call.region }, name);
        }
        return output;
      };
      return [operation, noted] as const;
    }),
  );
}
