import type { ServiceDefinition } from "#wire/operation";
import type { SqsContext, SqsDeps } from "./deps.ts";
import { attributeOperations } from "./operations/attributes.ts";
import { messageOperations } from "./operations/messages.ts";
import { queueOperations } from "./operations/queues.ts";
import { receiptOperations } from "./operations/receipts.ts";
import { tagOperations } from "./operations/tags.ts";
import { RetentionSweep } from "./retention.ts";
import { Waiting } from "./waiting.ts";

export interface SqsService {
  readonly definition: ServiceDefinition;
  /** Takes up the work that goes on beside requests. */
  start(): void;
  /** Lets everyone go who waits for messages, such as before the storage is emptied. */
  release(): void;
  /** Ends that work and all waits, for good. */
  stop(): Promise<void>;
}

export function createSqsService(deps: SqsDeps): SqsService {
  const waiting = new Waiting(deps.queue, deps.clock);
  const context: SqsContext = { ...deps, waiting };
  const retention = new RetentionSweep(deps);
  return {
    definition: {
      name: "sqs",
      operations: {
        ...queueOperations(context),
        ...attributeOperations(context),
        ...messageOperations(context),
        ...receiptOperations(context),
        ...tagOperations(context),
      },
    },
    start: () => retention.start(),
    release: () => waiting.release(),
    async stop() {
      waiting.close();
      await retention.stop();
    },
  };
}
