/** An event that the caller does not wait for. */
export interface AsyncInvocation {
  readonly account: string;
  readonly region: string;
  readonly functionName: string;
  /** As the caller gave it: an alias is looked up again when the event is delivered. */
  readonly qualifier: string | undefined;
  readonly requestId: string;
  readonly payload: Uint8Array;
  /** The client context's JSON, already decoded from base64. */
  readonly clientContext: string | undefined;
  readonly traceHeader: string | undefined;
  readonly tenantId?: string | undefined;
  /** Epoch milliseconds. */
  readonly acceptedAt: number;
}

/** Takes events for later; resolves once they are on disk. */
export interface AsyncInvoker {
  accept(invocation: AsyncInvocation): Promise<void>;
}
