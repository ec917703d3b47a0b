/** One event as it is given to a runtime. */
export interface GuestEvent {
  readonly requestId: string;
  /** Epoch milliseconds. */
  readonly deadlineMs: number;
  readonly invokedFunctionArn: string;
  readonly traceId: string;
  /** JSON. */
  readonly clientContext: string | undefined;
  readonly tenantId?: string | undefined;
  readonly payload: Uint8Array;
  /** No function's event: the environment is restored, and the payload holds its new variables. Default: an invocation. */
  readonly kind?: "restore";
}

/**
 * How many bytes of a streamed response a guest may send ahead of those that have been taken: what the platform holds of
 * it at most. Large enough that a reader on this host never waits for the next part.
 */
export const RESPONSE_WINDOW_BYTES = 256 * 1024;

/** What a runtime made of an event. */
export type Answer =
  /** All parts of a response that was streamed have been told before. */
  | { readonly kind: "streamed"; readonly bytes: number; readonly maxRssKb: number }
  | {
      readonly kind: "response";
      readonly payload: Buffer;
      readonly maxRssKb: number;
      /** What the event took by the guest's own clock, where it tells: without the way there and back. */
      readonly tookMs?: number | undefined;
    }
  | {
      readonly kind: "error";
      readonly payload: Buffer;
      readonly maxRssKb: number;
      readonly tookMs?: number | undefined;
    }
  | { readonly kind: "too-large"; readonly bytes: number | undefined };

/** An error that a runtime tells of its own init. */
export interface InitError {
  readonly errorType: string;
  /** The runtime's own document. */
  readonly payload: Buffer;
}

/**
 * What a guest says, in whichever protocol. Each throws a FrameError where the environment's phase does not allow it: the
 * guest has then broken its protocol.
 */
export interface ChannelListener {
  /** It waits for its function. */
  booted(): void;
  /** Its init phase has gone well and it waits for an event. @param prefetches it takes events ahead of their turn */
  initialised(prefetches?: boolean): void;
  initFailed(error: InitError): void;
  /** A response that comes in parts; `answered` ends it, also where it breaks off with an error. */
  responseBegan(requestId: string, contentType: string): void;
  /** @returns whether it was taken on; `false` where the response is larger than any may be, and is thrown away */
  responseChunk(bytes: Buffer): boolean;
  /** @param last the runtime must not be used again */
  answered(requestId: string, answer: Answer, last: boolean): void;
  /** A prefetched event that was recalled: it has not begun it and will not. */
  returned(requestId: string): void;
  /** It waits for the next event; never before `answered`. */
  waiting(): void;
  /** A log event in its final form. @param late the guest has answered one event and not begun another; default: false */
  logged(time: number, message: string, late?: boolean): void;
  /** A process that the launcher started has ended: an extension, by its index, or the runtime. */
  processEnded(process: number | "runtime", status: number): void;
}

/** One way to speak to a guest. It holds no state of the environment's, so that all of them drive one state machine. */
export interface Channel {
  /** Makes the guest its function's; called once, after `booted`. */
  initialise(): void;
  invoke(event: GuestEvent): void;
  /**
   * Gives it an event to begin when it has answered the one before, the `number`th of all such, whose deadline is
   * `timeoutMs` from then. What is given in one turn of the event loop is sent at its end, in one piece. Undefined where
   * the protocol has no such thing.
   */
  prefetch?(event: GuestEvent, number: number, timeoutMs: number): void;
  /** So many bytes of the streamed response have gone on: the guest may send as many more. */
  taken(bytes: number): void;
  /** A frame from the guest. @throws FrameError */
  frame(type: number, body: Buffer): void;
  /** Asks the runtime to end, as SIGTERM does. */
  terminate(): void;
}

/** Writes to the guest. */
export type Send = (bytes: Uint8Array) => void;
