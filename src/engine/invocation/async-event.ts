import { encodeHeadedFrame, splitHeaded } from "../environment/frames.ts";

/** An event that waits to be given to a function. */
export interface AsyncEvent {
  readonly account: string;
  readonly region: string;
  readonly functionName: string;
  /** Unqualified. */
  readonly functionArn: string;
  readonly qualifier: string | undefined;
  /** As the caller wrote it, qualifier included. */
  readonly invokedArn: string;
  readonly requestId: string;
  readonly payload: Uint8Array;
  readonly clientContext: string | undefined;
  readonly traceHeader: string | undefined;
  readonly tenantId?: string | undefined;
}

/** What Invoke would have answered in place of running a function. */
export interface Refusal {
  /** An HTTP status. */
  readonly status: number;
  readonly message: string;
}

/** What has become of an event so far. */
export interface EventHistory {
  /** Epoch milliseconds. */
  readonly acceptedAt: number;
  /** How often the function has failed on it. */
  readonly failures: number;
  /** How often it could not even be started since the last failure: throttles and the platform's own errors. */
  readonly deferrals: number;
  /** The trace header that the function was given when it failed on it last. */
  readonly ranWith?: string | undefined;
  /** Why it could not be started the last time, for a dead-letter queue. */
  readonly refusal?: Refusal | undefined;
}

/** An event with its history, as it lies in the queue. */
export interface StoredEvent extends AsyncEvent, EventHistory {}

/** The type byte of the frame form that events are stored in; tells a later form apart. */
const FORM = 0x01;

/** Member by member: an object that is made of others by spreading has a shape of its own, which is slow to make and to write. */
export function encodeEvent(event: AsyncEvent, history: EventHistory): Buffer {
  const header: Omit<StoredEvent, "payload"> = {
    account: event.account,
    region: event.region,
    functionName: event.functionName,
    functionArn: event.functionArn,
    qualifier: event.qualifier,
    invokedArn: event.invokedArn,
    requestId: event.requestId,
    clientContext: event.clientContext,
    traceHeader: event.traceHeader,
    tenantId: event.tenantId,
    acceptedAt: history.acceptedAt,
    failures: history.failures,
    deferrals: history.deferrals,
    ranWith: history.ranWith,
    refusal: history.refusal,
  };
  return encodeHeadedFrame(FORM, JSON.stringify(header), event.payload);
}

/** @throws Error where the bytes are not an event of this version */
export function decodeEvent(body: Uint8Array): StoredEvent {
  const bytes = Buffer.from(body.buffer, body.byteOffset, body.byteLength);
  if (bytes[4] !== FORM) throw new Error("a queued event of an unknown form");
  const { header, bytes: payload } = splitHeaded(bytes.subarray(5));
  // Written by `encodeEvent` alone, into a queue that nothing else writes to.
  return { ...(header as Omit<StoredEvent, "payload">), payload };
}
