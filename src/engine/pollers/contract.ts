import type { InvocationResult } from "../contract.ts";

/** What was read of an event source, as one of an event's `Records`. */
export interface PolledRecord {
  /** Names it in a partial batch response. */
  readonly id: string;
  /** What filters see. */
  readonly filtered: () => unknown;
  /** As the function sees it. */
  readonly json: string;
  /** `Root=…;Lineage=…`: the trace that led to it. */
  readonly traceHeader: string | undefined;
}

/** A queue that mappings read. Its messages come again unless they are removed. */
export interface QueueSource<Message extends PolledRecord = PolledRecord> {
  /**
   * Resolves once there may be messages, or `signal` is aborted. Costs nothing while there are none.
   * @param afterNothing whether the last receive found none although there may be some: those of a group that another
   * batch holds, for one
   */
  ready(signal: AbortSignal, afterNothing: boolean): Promise<void>;
  /** Up to `max` messages that are there now, 1 to 10. Rejects with the source's AwsError. */
  receive(max: number): Promise<readonly Message[]>;
  /** Removes messages for good. What cannot be removed comes again. */
  remove(messages: readonly Message[]): Promise<void>;
  /** For how many milliseconds a message that was received stays hidden. */
  hiddenMs(): Promise<number>;
}

/** How many batches of a mapping run at once. */
export interface ScalingPlan {
  readonly first: number;
  /** So many more a minute while all run and messages are left. */
  readonly perMinute: number;
  readonly most: number;
}

/** What a mapping's function is to a poller. */
export interface BatchTarget {
  /** Splits off the records that would close a loop once too often, which must not be processed. */
  admit(records: readonly PolledRecord[]): {
    readonly admitted: readonly PolledRecord[];
    readonly stopped: number;
  };
  /** Runs the function once. Rejects with the AwsError that Invoke would answer. */
  invoke(records: readonly PolledRecord[], payload: Uint8Array): Promise<InvocationResult>;
}

/** An event source mapping to a queue, as its poller needs it. */
export interface QueueMapping {
  /** Unique for the mapping: its account, region and UUID. */
  readonly id: string;
  readonly source: QueueSource;
  readonly target: BatchTarget;
  /** Records in a batch at most. */
  readonly batchSize: number;
  /** How long a batch may wait for more records. */
  readonly windowMs: number;
  /** Whether the messages come in an order that a failure must not break. */
  readonly ordered: boolean;
  /** ReportBatchItemFailures. */
  readonly partial: boolean;
  readonly scaling: ScalingPlan;
  /** FilterCriteria; undefined lets all pass. */
  readonly accepts: ((filtered: unknown) => boolean) | undefined;
  /** EventCount metrics; undefined counts nothing. */
  readonly count: ((metric: MappingMetric, events: number) => void) | undefined;
}

/** AWS Lambda Developer Guide, "Event source mapping metrics". */
export type MappingMetric =
  | "PolledEventCount"
  | "FilteredOutEventCount"
  | "InvokedEventCount"
  | "FailedInvokeEventCount"
  | "DroppedEventCount"
  | "OnFailureDestinationDeliveredEventCount"
  | "DeletedEventCount";
